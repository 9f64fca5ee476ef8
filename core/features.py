"""A named table of one vector per item or user: the one type that every room shares."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, cast, overload

import numpy as np
from numpy.typing import NDArray

from alignrec.core.catalogue_ids import as_ids
from alignrec.core.errors import AlignRecWarning
from alignrec.core.learned_from import LearnedFrom
from alignrec.core.most_similar import most_similar
from alignrec.core.vectors import unit_rows

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

    `len`, `in`, iteration and `features[id]` are those of a mapping from ids to vectors. Vectors have the
    scale that their model gave them, which is another for each set: `normalized()` has unit rows.

    Attributes:
        name: `image`, `text`, another modality's name, `multimodal`, `content`, `aligned` or `user`.
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

    def __len__(self) -> int:
        """How many rows, valid or not."""
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        """The ids, in row order."""
        return iter(self.ids)

    def __contains__(self, item_id: object) -> bool:
        """Whether it is an id of the set, its vector valid or not."""
        try:
            return as_ids([item_id])[0] in self._position
        except TypeError:
            return False

    def __getitem__(self, item_id: str | int) -> NDArray[np.float32]:
        """The vector of an id, float32 `[d]`.

        Raises:
            KeyError: the id is absent, or has no valid vector.
            TypeError: it is no id.
        """
        vector: NDArray[np.float32] = self.matrix[self._rows([item_id])[0]]
        return vector

    def __repr__(self) -> str:
        """What it is in one line: name, size, and what it has learned from."""
        rows = f"{len(self):,} {self.key.removesuffix('_id')}s × {self.dim}"
        valid = "" if self.valid.all() else f", {int(self.valid.sum()):,} valid"
        learned = "" if self.learned_from is None else f"; learned from {self.learned_from}"
        return f"<FeatureSet {self.name!r}: {rows}{valid}{learned}>"

    def align_to(self, ids: Iterable[Any]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Vectors in the caller's order.

        Args:
            ids: as the catalogue has them, in any order, repeats allowed: a list, array, Series or tensor.
                Whole numbers stand for their digits, as in a table of the catalogue; another tool's row
                numbers are no ids.

        Returns:
            float32 `[len(ids), d]`, zeros where an id is absent or not valid, and the bool mask
            `[len(ids)]` of those that are present and valid; its mean is the share that was found.

        Raises:
            TypeError: `ids` is one text, or holds something that is no id: a fraction, bytes, nothing.

        Warns:
            AlignRecWarning: not one of the ids is in the set.
        """
        wanted = as_ids(ids)
        position = self._position
        rows = np.fromiter((position.get(i, -1) for i in wanted), dtype=np.int64, count=len(wanted))
        present = rows >= 0
        if len(wanted) and not present.any():
            ours = f"which has ids such as {self.ids[0]!r}" if self.ids else "which is empty"
            warnings.warn(
                f"none of the {len(wanted):,} ids, such as {wanted[0]!r}, is in the feature set "
                f"{self.name!r}, {ours}: all of the vectors are zeros",
                AlignRecWarning,
                stacklevel=2,
            )
        present[present] = self.valid[rows[present]]
        out = np.zeros((len(rows), self.dim), dtype=np.float32)
        out[present] = self.matrix[rows[present]]
        return out, present

    @overload
    def nearest(self, query: str | int, k: int = 10) -> list[tuple[str, float]]: ...

    @overload
    def nearest(
        self, query: Sequence[Any] | NDArray[Any], k: int = 10
    ) -> list[tuple[str, float]] | tuple[NDArray[np.object_], NDArray[np.float32]]: ...

    def nearest(
        self, query: str | int | Sequence[Any] | NDArray[Any], k: int = 10
    ) -> list[tuple[str, float]] | tuple[NDArray[np.object_], NDArray[np.float32]]:
        """The ids most similar by cosine to one id or vector, or to each of many; ties in row order.

        It is exact, in blocks: memory does not grow with the number of pairs.

        Args:
            query: an id, or a vector, float `[d]`; or many: a list of ids, or a matrix, float `[m, d]`. An id
                does not find itself, a vector finds whatever is there.
            k: how many; at least 1. Fewer come back where the set has fewer valid rows.

        Returns:
            For one `(id, cosine)`, most similar first. For many the ids, object `[m, k]`, and their cosines,
            float32 `[m, k]`, in the order of the query.

        Raises:
            KeyError: an id is absent, or has no valid vector.
            TypeError: something is no id.
            ValueError: `k` is below 1, or vectors are of another width, zeros or not finite.
        """
        if k < 1:
            raise ValueError(f"nearest: k is {k}, expected at least 1")
        asked = np.asarray(query)
        by_vector = asked.dtype.kind == "f" and asked.size > 0
        if by_vector:
            found, cosines = most_similar(self._vectors(asked), self.matrix, self.valid, k)
        else:
            rows = self._rows([query] if asked.ndim == 0 else cast("Sequence[Any]", query))
            found, cosines = most_similar(self.matrix[rows], self.matrix, self.valid, k, own=rows)
        if asked.ndim == (1 if by_vector else 0):
            return [(self.ids[i], c) for i, c in zip(found[0].tolist(), cosines[0].tolist(), strict=True)]
        return np.asarray(self.ids, dtype=object)[found], cosines

    def take(self, rows: NDArray[np.int64]) -> FeatureSet:
        """A set of some rows, int64 `[m]`, each at most once, in their order; its arrays are copies."""
        return replace(
            self,
            ids=[self.ids[row] for row in rows.tolist()],
            matrix=self.matrix[rows],
            valid=self.valid[rows],
            origin=None if self.origin is None else [self.origin[row] for row in rows.tolist()],
        )

    def normalized(self) -> FeatureSet:
        """The set with rows of length 1, so that inner products are cosines; zeros stay zeros.

        The matrix is a new one in memory, also of a set that is mapped from disk.
        """
        return replace(self, matrix=unit_rows(self.matrix))

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

    def _rows(self, ids: Iterable[Any]) -> NDArray[np.int64]:
        """The rows of ids that have a valid vector, int64 `[m]`.

        Raises:
            KeyError: one is absent, or has none.
        """
        wanted = as_ids(ids)
        rows = np.fromiter((self._position.get(i, -1) for i in wanted), dtype=np.int64, count=len(wanted))
        useless = (rows < 0) | ~self.valid[rows] if len(self) else rows < 0
        if useless.any():
            place = int(useless.argmax())
            state = "is not in" if rows[place] < 0 else "has no valid vector in"
            raise KeyError(f"{wanted[place]!r} {state} the feature set {self.name!r} of {len(self)} rows")
        return rows

    def _vectors(self, query: NDArray[Any]) -> NDArray[np.float32]:
        """Vectors to search by, float32 `[m, d]`, checked."""
        vectors = np.atleast_2d(query).astype(np.float32)
        if vectors.ndim != 2 or vectors.shape[1] != self.dim:
            raise ValueError(
                f"nearest: a query of shape {query.shape}, but the vectors of {self.name!r} are [{self.dim}]"
            )
        useless = ~(np.isfinite(vectors).all(axis=1) & vectors.any(axis=1))
        if useless.any():
            raise ValueError(f"nearest: vector {int(useless.argmax())} of the query is zeros or not finite")
        return vectors


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
