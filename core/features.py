"""A named table of one vector per item or user: the one type that every room shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from alignrec.core.learned_from import LearnedFrom

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import torch

# Rows that are looked at together: a mapped matrix is never in memory as a whole.
_BLOCK = 1 << 16

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
        learned_from: of a set from a release, the interactions that its values depend on; None where it has
            seen none, or the release does not say.

    Raises:
        ValueError: the parts differ in length, dtype or shape, or an id occurs twice.
    """

    name: str
    ids: Sequence[str]
    matrix: NDArray[np.float32]
    valid: NDArray[np.bool_]
    key: Key = "item_id"
    origin: Sequence[str] | None = None
    learned_from: LearnedFrom | None = None

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
        if not _distinct(self.ids):
            raise ValueError(f"feature set {self.name!r}: an id occurs twice")

    def fault(self) -> str | None:
        """What makes the values unfit for use, or None: not finite, or not zeros where not valid."""
        for start in range(0, len(self.ids), _BLOCK):
            block = self.matrix[start : start + _BLOCK]
            infinite = ~np.isfinite(block).all(axis=1)
            if infinite.any():
                row = start + int(infinite.argmax())
                return f"the vector of {self.ids[row]!r} has a value that is no finite number"
            filled = ~self.valid[start : start + _BLOCK] & block.any(axis=1)
            if filled.any():
                row = start + int(filled.argmax())
                return f"{self.ids[row]!r} has no valid vector, but one that is not zeros"
        return None

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
        position = self._position
        rows = np.fromiter((position.get(i, -1) for i in ids), dtype=np.int64, count=len(ids))
        present = rows >= 0
        present[present] = self.valid[rows[present]]
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        out[present] = self.matrix[rows[present]]
        return out, present

    def nearest(self, item_id: str, k: int = 10) -> list[tuple[str, float]]:
        """The ids most similar to one by cosine, itself left out; ties in row order.

        Args:
            item_id: an id whose vector is valid.
            k: how many; at least 1. Fewer come back where the set has fewer valid rows.

        Returns:
            `(id, cosine)`, most similar first.

        Raises:
            KeyError: the id is absent, or has no valid vector.
            ValueError: `k` is below 1.
        """
        if k < 1:
            raise ValueError(f"nearest: k is {k}, expected at least 1")
        row = self._position.get(item_id)
        if row is None or not self.valid[row]:
            state = "is not in" if row is None else "has no valid vector in"
            raise KeyError(f"{item_id!r} {state} the feature set {self.name!r} of {len(self.ids)} rows")
        cosines = self._cosines(self.matrix[row])
        cosines[~self.valid] = -np.inf
        cosines[row] = -np.inf
        count = min(k, int(np.isfinite(cosines).sum()))
        # Everything not below the k-th, so that ties at the border are settled by row as well.
        border = np.partition(cosines, -count)[-count] if count else np.inf
        candidates = np.flatnonzero(cosines >= border)
        best = candidates[np.argsort(-cosines[candidates], kind="stable")][:count]
        return [(self.ids[int(i)], float(cosines[i])) for i in best]

    def to_pandas(self) -> pd.DataFrame:
        """A frame indexed by id: float32 columns `<name>_0` and so on, and bool `<name>_valid`.

        A set with origins has `<name>_origin` as well. Columns carry the set's name, so that the frames
        of two sets join.
        """
        import pandas as pd

        index = pd.Index(list(self.ids), name=self.key, dtype=object)
        columns = [f"{self.name}_{column}" for column in range(self.dim)]
        more: dict[str, object] = {f"{self.name}_valid": self.valid}
        if self.origin is not None:
            more[f"{self.name}_origin"] = list(self.origin)
        return pd.concat(
            [pd.DataFrame(self.matrix, index, columns), pd.DataFrame(more, index)], axis="columns"
        )

    def to_torch(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The matrix, float32 `[n, d]`, and the mask, bool `[n]`, as tensors.

        They share the arrays' memory, except that a read-only (memory-mapped) matrix is copied.
        """
        import torch

        matrix, valid = (a if a.flags.writeable else a.copy() for a in (self.matrix, self.valid))
        return torch.from_numpy(matrix), torch.from_numpy(valid)

    def to_arrow(self) -> pa.Table:
        """The columns of a release: id, `embedding` (fixed-size list of float32), `valid`, and `origin`."""
        import pyarrow as pa

        flat = pa.array(np.ascontiguousarray(self.matrix).reshape(-1), type=pa.float32())
        columns = {
            self.key: pa.array(list(self.ids), type=pa.string()),
            "embedding": pa.FixedSizeListArray.from_arrays(flat, self.dim),
            "valid": pa.array(self.valid),
        }
        if self.origin is not None:
            columns["origin"] = pa.array(list(self.origin), type=pa.string())
        schema = pa.schema([pa.field(name, column.type, nullable=False) for name, column in columns.items()])
        return pa.table(list(columns.values()), schema=schema)

    @classmethod
    def from_arrow(cls, name: str, table: pa.Table | pa.RecordBatch) -> FeatureSet:
        """The set that `to_arrow` gives these columns of; its arrays share their memory where they can.

        Args:
            name: the set's name.
            table: `item_id` or `user_id`, `embedding`, `valid`, and `origin` if the set has it, without
                nulls; any further columns are ignored.

        Raises:
            KeyError: a column is missing.
            ValueError: as for the set itself.
        """
        key: Key = "user_id" if "user_id" in table.column_names else "item_id"
        embedding = _one_array(table.column("embedding"))
        # By DLPack, since `to_numpy` imports pandas.
        flat: NDArray[np.float32] = np.asarray(np.from_dlpack(embedding.flatten()))
        return cls(
            name,
            table.column(key).to_pylist(),
            flat.reshape(-1, embedding.type.list_size),
            np.from_dlpack(_one_array(table.column("valid")).cast("uint8")).view(np.bool_),
            key,
            table.column("origin").to_pylist() if "origin" in table.column_names else None,
        )

    @cached_property
    def _position(self) -> Mapping[str, int]:
        return {identifier: row for row, identifier in enumerate(self.ids)}

    def _cosines(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cosine of every row with one vector, float32 `[n]`; 0 where either has no length."""
        cosines = np.zeros(len(self.ids), dtype=np.float32)
        own = np.linalg.norm(vector)
        for start in range(0, len(cosines), _BLOCK):
            block = self.matrix[start : start + _BLOCK]
            length = np.linalg.norm(block, axis=1) * own
            target = cosines[start : start + len(block)]
            np.divide(block @ vector, length, out=target, where=length > 0)
        return cosines


def _one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """A column in one piece; it is copied only if it has several."""
    if not hasattr(column, "chunks"):
        return column
    return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _distinct(ids: Sequence[str]) -> bool:
    """Whether no id occurs twice; ids are compared one with another only if two have the same hash."""
    hashes = np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids))
    hashes.sort()
    return not (hashes[1:] == hashes[:-1]).any() or len(set(ids)) == len(ids)
