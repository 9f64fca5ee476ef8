"""Feature sets and rejections as Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .atomic import replacing
from .errors import VerificationError
from .features import FeatureSet, Key

ROWS_PER_PART = 500_000

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


def to_table(features: FeatureSet) -> pa.Table:
    """The release's columns: id, embedding, valid, and origin where the set has one."""
    flat = pa.array(np.ascontiguousarray(features.matrix).reshape(-1), type=pa.float32())
    columns = {
        features.key: pa.array(list(features.ids), type=pa.string()),
        "embedding": pa.FixedSizeListArray.from_arrays(flat, features.dim),
        "valid": pa.array(features.valid),
    }
    if features.origin is not None:
        columns["origin"] = pa.array(list(features.origin), type=pa.string())
    schema = pa.schema([pa.field(name, column.type, nullable=False) for name, column in columns.items()])
    return pa.table(list(columns.values()), schema=schema)


def write_parts(features: FeatureSet, folder: Path, rows_per_part: int = ROWS_PER_PART) -> list[Path]:
    """Write `part-00000.parquet` and so on into `folder`, rows in id order; returns the paths."""
    order = np.array(sorted(range(len(features.ids)), key=features.ids.__getitem__), dtype=np.int64)
    table = to_table(features).take(pa.array(order)).combine_chunks()
    paths = []
    for number, start in enumerate(range(0, max(len(order), 1), rows_per_part)):
        path = folder / f"part-{number:05d}.parquet"
        write_table(table.slice(start, rows_per_part), path)
        paths.append(path)
    return paths


def read_parts(name: str, key: Key, dim: int, paths: Sequence[Path]) -> FeatureSet:
    """Merge a set's parts into one feature set, reading only the columns it needs.

    The matrix is filled part by part, so that at most one part is in memory beside it.

    Raises:
        VerificationError: a part lacks a column or has vectors of another size.
    """
    rows = [pq.read_metadata(path).num_rows for path in paths]
    matrix = np.empty((sum(rows), dim), dtype=np.float32)
    valid = np.empty(sum(rows), dtype=np.bool_)
    ids: list[str] = []
    origin: list[str] = []
    start = 0
    for path in paths:
        file = pq.ParquetFile(path, memory_map=True)
        wanted = {key: pa.string(), "embedding": pa.list_(pa.float32(), dim), "valid": pa.bool_()}
        found = {field.name: field.type for field in file.schema_arrow}
        if any(found.get(column) != kind for column, kind in wanted.items()):
            raise VerificationError(
                f"{path} has the columns {found}, but the set {name!r} needs {wanted}. Fetch it again."
            )
        for batch in file.iter_batches(columns=[c for c in (*wanted, "origin") if c in found]):
            stop = start + batch.num_rows
            flat = batch.column("embedding").flatten().to_numpy(zero_copy_only=False)
            matrix[start:stop] = flat.reshape(-1, dim)
            valid[start:stop] = batch.column("valid").to_numpy(zero_copy_only=False)
            ids.extend(batch.column(key).to_pylist())
            if "origin" in found:
                origin.extend(batch.column("origin").to_pylist())
            start = stop
    return FeatureSet(name, ids, matrix, valid, key, origin or None)


def write_rejected(rows: Iterable[dict[str, object]], path: Path) -> int:
    """Write `rejected.parquet` from rows with the release's columns; other keys are left out.

    Returns:
        The number of rows.
    """
    table = pa.Table.from_pylist(list(rows), schema=REJECTED_SCHEMA)
    write_table(table, path)
    return int(table.num_rows)
