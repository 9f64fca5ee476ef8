"""Feature sets and rejections as Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from alignrec.core.features import FeatureSet, Key
from alignrec.core.files import replacing, sweep
from alignrec.export.errors import VerificationError

ROWS_PER_PART = 500_000
ROWS_AT_ONCE = 1 << 12
# Bytes of a column read at once: without a bound, or mapped, a whole column chunk would count as ours.
_BUFFER = 1 << 18

REJECTED_SCHEMA = pa.schema(
    [
        pa.field("source", pa.string(), nullable=False),
        pa.field("row", pa.int64(), nullable=False),
        pa.field("item_id", pa.string()),
        pa.field("user_id", pa.string()),
        pa.field("modality", pa.string()),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a Parquet file atomically, with content-defined chunks and a page index.

    Content-defined chunking keeps unchanged rows in unchanged pages, so that the Hub stores a new
    version's common parts once. Embeddings are noise to a dictionary, so it is left out.
    """
    with replacing(path) as temporary:
        pq.write_table(
            table,
            temporary,
            compression="zstd",
            use_dictionary=False,
            write_page_index=True,
            use_content_defined_chunking=True,
            store_schema=True,
        )


def write_parts(features: FeatureSet, folder: Path, rows_per_part: int = ROWS_PER_PART) -> list[Path]:
    """Write `part-00000.parquet` and so on into `folder`, rows in id order; returns the paths."""
    order = np.array(sorted(range(len(features.ids)), key=features.ids.__getitem__), dtype=np.int64)
    table = features.to_arrow().take(pa.array(order)).combine_chunks()
    paths = []
    for number, start in enumerate(range(0, max(len(order), 1), rows_per_part)):
        path = folder / f"part-{number:05d}.parquet"
        write_table(table.slice(start, rows_per_part), path)
        paths.append(path)
    return paths


def iter_parts(
    name: str, key: Key, dim: int, paths: Iterable[Path], rows: int = ROWS_AT_ONCE
) -> Iterator[FeatureSet]:
    """A set's parts, one after the other, in pieces of at most `rows` rows.

    Raises:
        VerificationError: a part lacks a column or has vectors of another size.
    """
    wanted = {key: pa.string(), "embedding": pa.list_(pa.float32(), dim), "valid": pa.bool_()}
    for path in paths:
        file = pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False)
        found = {field.name: field.type for field in file.schema_arrow}
        if any(found.get(column) != kind for column, kind in wanted.items()):
            raise VerificationError(
                f"{path} has the columns {found}, but the set {name!r} needs {wanted}. Fetch it again."
            )
        columns = [c for c in (*wanted, "origin") if c in found]
        for batch in file.iter_batches(rows, columns=columns, use_threads=False):
            yield FeatureSet.from_arrow(name, batch)


def read_parts(name: str, key: Key, dim: int, paths: Sequence[Path]) -> FeatureSet:
    """Merge a set's parts into one feature set; beside its matrix, one piece of it is in memory.

    Raises: as `iter_parts`.
    """
    matrix = np.empty((_count_rows(paths), dim), dtype=np.float32)
    return _gather(iter_parts(name, key, dim, paths), name, key, matrix)


def map_parts(name: str, key: Key, dim: int, paths: Sequence[Path], file: Path) -> FeatureSet:
    """Like `read_parts`, but the matrix is a read-only map of `file`, which is made if it is absent.

    Parquet is compressed and cannot be mapped itself. What `file` holds is for the caller to name: equal
    parts, equal file.

    Raises: as `iter_parts`.
    """
    if file.is_file():
        columns = [pq.read_table(path, columns=[key, "valid", *_origin(path)]) for path in paths]
        table = pa.concat_tables(columns)
        origin = table.column("origin").to_pylist() if "origin" in table.column_names else None
        ids, valid = table.column(key).to_pylist(), table.column("valid").to_numpy()
        return FeatureSet(name, ids, np.load(file, mmap_mode="r"), valid, key, origin)
    sweep(file.parent)  # matrices are large, and nobody else looks here
    with replacing(file) as temporary:
        matrix = np.lib.format.open_memmap(temporary, "w+", np.float32, (_count_rows(paths), dim))
        features = _gather(iter_parts(name, key, dim, paths), name, key, matrix)
        matrix.flush()
    return replace(features, matrix=np.load(file, mmap_mode="r"))


def _gather(pieces: Iterable[FeatureSet], name: str, key: Key, matrix: NDArray[np.float32]) -> FeatureSet:
    """Put pieces together, filling `matrix`."""
    valid = np.empty(len(matrix), dtype=np.bool_)
    ids: list[str] = []
    origin: list[str] = []
    for piece in pieces:
        rows = slice(len(ids), len(ids) + len(piece.ids))
        matrix[rows], valid[rows] = piece.matrix, piece.valid
        ids.extend(piece.ids)
        # Arrow's allocator keeps what it once had, which adds up beside a large matrix.
        pa.default_memory_pool().release_unused()
        origin.extend(piece.origin or ())
    return FeatureSet(name, ids, matrix, valid, key, origin or None)


def _count_rows(paths: Iterable[Path]) -> int:
    return sum(pq.read_metadata(path).num_rows for path in paths)


def _origin(path: Path) -> list[str]:
    return [name for name in pq.read_schema(path).names if name == "origin"]


def write_rejected(rows: Iterable[dict[str, object]], path: Path) -> int:
    """Write `rejected.parquet` from rows with the release's columns; other keys are left out.

    Returns:
        The number of rows.
    """
    table = pa.Table.from_pylist(list(rows), schema=REJECTED_SCHEMA)
    write_table(table, path)
    return int(table.num_rows)
