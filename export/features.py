"""A named table of one vector per item or user: the one type that every room shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Key = Literal["item_id", "user_id"]


@dataclass(frozen=True, eq=False)
class FeatureSet:
    """One vector per item (or user), with a mask for those that have none.

    Attributes:
        name: `image`, `text`, `multimodal`, `content`, `aligned` or `user`.
        ids: `n` distinct string ids, in row order.
        matrix: float32 `[n, d]`; rows that are not valid hold zeros.
        valid: bool `[n]`; False where the item has no such vector.
        key: the id column's name, `item_id` or `user_id`.
        origin: for `content` and `aligned`, `trained` or `content` for each row; else None.

    Raises:
        ValueError: the parts differ in length, dtype or shape, or an id occurs twice.
    """

    name: str
    ids: Sequence[str]
    matrix: NDArray[np.float32]
    valid: NDArray[np.bool_]
    key: Key = "item_id"
    origin: Sequence[str] | None = None

    def __post_init__(self) -> None:
        """Check that the parts belong together."""
        n = len(self.ids)
        if self.matrix.ndim != 2 or self.matrix.dtype != np.float32 or len(self.matrix) != n:
            raise ValueError(
                f"feature set {self.name!r}: expected a float32 matrix of {n} rows, "
                f"got {self.matrix.dtype} {self.matrix.shape}"
            )
        if self.valid.shape != (n,) or self.valid.dtype != np.bool_:
            raise ValueError(f"feature set {self.name!r}: expected a bool mask of {n} rows")
        if self.origin is not None and len(self.origin) != n:
            raise ValueError(f"feature set {self.name!r}: expected {n} origins, got {len(self.origin)}")
        if len(set(self.ids)) != n:
            raise ValueError(f"feature set {self.name!r}: an id occurs twice")

    @property
    def dim(self) -> int:
        """Number of columns of the matrix."""
        return int(self.matrix.shape[1])

    def align_to(self, ids: Sequence[str]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Vectors in the caller's order.

        Args:
            ids: any ids, in any order, repeats allowed.

        Returns:
            float32 `[len(ids), d]`, zeros where an id is absent or not valid, and the bool mask
            `[len(ids)]` of those that are present and valid.
        """
        position = {identifier: row for row, identifier in enumerate(self.ids)}
        rows = np.fromiter((position.get(i, -1) for i in ids), dtype=np.int64, count=len(ids))
        present = rows >= 0
        present[present] = self.valid[rows[present]]
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        out[present] = self.matrix[rows[present]]
        return out, present
