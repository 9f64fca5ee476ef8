"""Interactions with their place in the split, which every format takes along."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from alignrec.export.errors import ReleaseError

LABELS = ("train", "valid", "test")
INTERACTIONS = "interactions.parquet"


@dataclass(frozen=True, eq=False)
class SplitInteractions:
    """Who interacted with what, and in which part of the split it is.

    Attributes:
        users: `m` user ids.
        items: `m` item ids.
        label: uint8 `[m]`: 0 train, 1 validation, 2 test.
        rating: float `[m]`; 1 for each where the source has none.
        timestamp: int64 `[m]`, Unix seconds; 0 for each where the source has none.

    Raises:
        ValueError: the parts differ in length, or a label is none of these.
    """

    users: Sequence[str]
    items: Sequence[str]
    label: NDArray[np.uint8]
    rating: NDArray[np.float64]
    timestamp: NDArray[np.int64]

    def __post_init__(self) -> None:
        """Check that the parts belong together."""
        lengths = {len(part) for part in (self.users, self.items, self.label, self.rating, self.timestamp)}
        if len(lengths) != 1:
            raise ValueError(f"interactions need parts of one length, got {sorted(lengths)}")
        if len(self.label) and self.label.max() >= len(LABELS):
            raise ValueError("an interaction's label must be 0 (train), 1 (validation) or 2 (test)")

    def check_items(self, ids: Iterable[str]) -> None:
        """See that every item has features.

        Args:
            ids: of the items that have.

        Raises:
            ReleaseError: some have none; names one of them.
        """
        unknown = set(self.items) - set(ids)
        if unknown:
            raise ReleaseError(
                f"{len(unknown)} items of the interactions have no features, such as {min(unknown)!r}: "
                "give the interactions that the release was made with"
            )

    def frame(self) -> pd.DataFrame:
        """Columns `user_id`, `item_id`, `rating`, `timestamp`, `label`, in order."""
        columns = {"user_id": self.users, "item_id": self.items, "rating": self.rating}
        return pd.DataFrame(columns | {"timestamp": self.timestamp, "label": self.label})

    def write(self, folder: Path) -> None:
        """Write `interactions.parquet`, for formats that have no form for interactions of their own.

        Columns `user_id`, `item_id`, `rating`, `timestamp` and `split`: `train`, `valid` or `test`.
        """
        columns = {
            "user_id": pa.array(self.users, pa.string()),
            "item_id": pa.array(self.items, pa.string()),
            "rating": pa.array(self.rating, pa.float64()),
            "timestamp": pa.array(self.timestamp, pa.int64()),
            "split": pa.array(LABELS, pa.string()).take(pa.array(self.label)),
        }
        pq.write_table(pa.table(columns), folder / INTERACTIONS)
