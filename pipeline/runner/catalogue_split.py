"""The split of a run: interactions over all rows of the catalogue, each in train, validation or test."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa

from alignrec.aligner.evaluate.splits import Split
from alignrec.pipeline.runner.arrow_files import read_arrow, write_arrow


@dataclass(frozen=True, eq=False)
class CatalogueSplit:
    """Who interacted with what, and in which part.

    Attributes:
        split: over all rows of the catalogue and the users that are left; only items that have interactions
            left are recommended.
        user_ids: the users, by index.
        item_ids: the items, by index: the catalogue's.
    """

    split: Split
    user_ids: list[str]
    item_ids: list[str]

    @classmethod
    def of(cls, split: Split, user_ids: list[str], item_ids: list[str]) -> Self:
        """The split with its ids; candidates are the items that it touches."""
        candidates = np.zeros(len(item_ids), dtype=np.bool_)
        candidates[split.item] = True
        return cls(replace(split, candidates=candidates), user_ids, item_ids)

    def table(self) -> pa.Table:
        """`user_id`, `item_id` and `label` (0 train, 1 validation, 2 test), an interaction a row."""
        return pa.table(
            {
                "user_id": pa.array(self.user_ids, pa.string()).take(pa.array(self.split.user)),
                "item_id": pa.array(self.item_ids, pa.string()).take(pa.array(self.split.item)),
                "label": pa.array(self.split.label),
            }
        )

    def write(self, folder: Path) -> None:
        """Write `interactions.arrow` (indices `user`, `item`, and `label`) and `users.arrow`."""
        columns = {"user": self.split.user, "item": self.split.item, "label": self.split.label}
        write_arrow(pa.table(columns), folder / "interactions.arrow")
        write_arrow(pa.table({"user_id": pa.array(self.user_ids, pa.string())}), folder / "users.arrow")

    @classmethod
    def read(cls, folder: Path, item_ids: list[str]) -> Self:
        """What `write` wrote, over the catalogue's items."""
        users: list[str] = read_arrow(folder / "users.arrow").column("user_id").to_pylist()
        table = read_arrow(folder / "interactions.arrow")
        user, item, label = (table.column(name).to_numpy() for name in ("user", "item", "label"))
        return cls.of(Split(len(users), len(item_ids), user, item, label), users, item_ids)
