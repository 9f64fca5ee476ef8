"""Feature sets and rejections as Parquet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from alignrec.core.features import FeatureSet, Key
from alignrec.core.files import replacing, sweep
from alignrec.core.sealed import is_whole, sealing
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.release.manifest import FileEntry, SetEntry

# What the manifest says of a part, and where it lies.
Part = tuple[FileEntry, Path]

ROWS_PER_PART = 500_000
ROWS_AT_ONCE = 1 << 12
# Of the vectors of a row group.
_GROUP_VALUES = 1 << 24
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
    _write_groups(table.schema, [table], path)


def _write_groups(schema: pa.Schema, tables: Iterable[pa.Table], path: Path) -> None:
    """Write a Parquet file of some row groups; a table is in memory until its group is written."""
    with (
        replacing(path) as temporary,
        pq.ParquetWriter(
            temporary,
            schema,
            compression="zstd",
            use_dictionary=False,
            write_page_index=True,
            use_content_defined_chunking=True,
            store_schema=True,
        ) as writer,
    ):
        for table in tables:
            writer.write_table(table)


def write_parts(features: FeatureSet, folder: Path, rows_per_part: int = ROWS_PER_PART) -> list[Path]:
    """Write `part-00000.parquet` and so on into `folder`, rows in id order; returns the paths.

    Beside the set itself, a row group is in memory: rows whose vectors are 64 MiB.

    Raises:
        ReleaseError: a value is not finite, or a row that is not valid is not zeros: nobody could load them.
    """
    if fault := features.fault():
        raise ReleaseError(f"the set {features.name!r} is not fit for a release: {fault}")
    order = np.array(sorted(range(len(features.ids)), key=features.ids.__getitem__), dtype=np.int64)
    schema, together = features.take(order[:0]).to_arrow().schema, max(1, _GROUP_VALUES // features.dim)
    paths = []
    for number, start in enumerate(range(0, max(len(order), 1), rows_per_part)):
        path, rows = folder / f"part-{number:05d}.parquet", order[start : start + rows_per_part]
        groups = (rows[first : first + together] for first in range(0, max(len(rows), 1), together))
        _write_groups(schema, (features.take(group).to_arrow() for group in groups), path)
        paths.append(path)
    return paths


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    """Whatever Arrow meets in a file that is no sound Parquet becomes one error that names it."""
    try:
        yield
    except (pa.ArrowException, OSError, ValueError, TypeError, LookupError, OverflowError) as error:
        reason = " ".join(str(error).split())[:200]
        raise VerificationError(f"{path} cannot be read as Parquet: {reason}. Fetch it again.") from None


def iter_parts(
    name: str, entry: SetEntry, parts: Iterable[Part], rows: int = ROWS_AT_ONCE
) -> Iterator[FeatureSet]:
    """A set's parts, one after the other, in pieces of at most `rows` rows, each of them checked.

    Beside a piece, eight bytes for each row that was read are in memory: they show an id that comes again,
    at the end of its part.

    Args:
        name: the set's.
        entry: what the manifest says of it.
        parts: the manifest's entry and the path of each part, in order.
        rows: the most rows of a piece.

    Raises:
        VerificationError: a part is no Parquet, or lacks a column or has vectors of another size; a value is
            null or not finite; a row that is not valid is not zeros; an id occurs twice; or there are more
            or fewer rows, or valid ones, than the manifest says.
    """
    seen = np.empty(0, dtype=np.int64)
    total = valid = 0
    for listed, path in parts:
        hashes = [seen]
        before = total
        for piece in _pieces(name, entry, path, rows):
            hashes.append(np.fromiter(map(hash, piece.ids), dtype=np.int64, count=len(piece.ids)))
            total, valid = total + len(piece.ids), valid + int(piece.valid.sum())
            yield piece
        if total - before != listed.rows:
            raise VerificationError(
                f"{path} has {total - before} rows, expected {listed.rows}. Fetch it again."
            )
        seen = np.sort(np.concatenate(hashes))
        if (seen[1:] == seen[:-1]).any():
            raise VerificationError(f"{path}: an id of the set {name!r} occurs twice. Tell its publisher.")
    _check_counts(name, entry, total, valid)


def _check_counts(name: str, entry: SetEntry, rows: int, valid: int) -> None:
    if (rows, valid) != (entry.rows, entry.valid):
        raise VerificationError(
            f"the set {name!r} has {rows} rows, {valid} of them valid; its manifest says {entry.rows} and "
            f"{entry.valid}. Tell its publisher."
        )


def _pieces(name: str, entry: SetEntry, path: Path, rows: int) -> Iterator[FeatureSet]:
    """A part in pieces, without a fault in any of them."""
    with _readable(path), pq.ParquetFile(path, buffer_size=_BUFFER, pre_buffer=False) as file:
        found = _check_columns(name, entry, path, file.schema_arrow)
        columns = [c for c in (*_columns(entry), "origin") if c in found]
        for batch in file.iter_batches(rows, columns=columns, use_threads=False):
            batch.validate(full=True)
            nulls = [c for c in columns if batch.column(c).null_count]
            if nulls or batch.column("embedding").flatten().null_count:
                raise VerificationError(
                    f"{path} has a null in {(nulls or ['embedding'])[0]}. Tell its publisher."
                )
            piece = FeatureSet.from_arrow(name, batch)
            if fault := piece.fault():
                raise VerificationError(f"{path}: {fault}. Tell its publisher.")
            yield piece


def _columns(entry: SetEntry) -> dict[str, pa.DataType]:
    return {entry.key: pa.string(), "embedding": pa.list_(pa.float32(), entry.dim), "valid": pa.bool_()}


def _check_columns(name: str, entry: SetEntry, path: Path, schema: pa.Schema) -> dict[str, pa.DataType]:
    """The columns of a part, where they are those of its set."""
    found, wanted = dict(zip(schema.names, schema.types, strict=True)), _columns(entry)
    fits = all(schema.names.count(c) == 1 and found[c] == kind for c, kind in wanted.items())
    if not fits or schema.names.count("origin") > 1 or found.get("origin", pa.string()) != pa.string():
        columns = ", ".join(f"{c}: {kind}" for c, kind in found.items())[:300]
        raise VerificationError(
            f"{path} has the columns {columns!r}, but the set {name!r} needs {wanted}. Fetch it again."
        )
    return found


def read_parts(name: str, entry: SetEntry, parts: Sequence[Part]) -> FeatureSet:
    """Merge a set's parts into one feature set; beside its matrix, one piece of it is in memory.

    Raises:
        VerificationError: as `iter_parts`; or the matrix is larger than memory.
    """
    rows = _count_rows(name, entry, parts)
    try:
        matrix = np.empty((rows, entry.dim), dtype=np.float32)
    except (MemoryError, ValueError):
        raise VerificationError(
            f"the set {name!r} of {rows} rows and {entry.dim} dimensions does not fit in memory: read it in "
            "pieces with `iter_features`, or with memory_map=True"
        ) from None
    return _gather(iter_parts(name, entry, parts), name, entry.key, matrix)


def map_parts(name: str, entry: SetEntry, parts: Sequence[Part], file: Path) -> FeatureSet:
    """Like `read_parts`, but the matrix is a read-only map of `file`, which is made if it is absent.

    Parquet is compressed and cannot be mapped itself. What `file` holds is for the caller to name: equal
    parts, equal file. It is sealed, and made anew where it is damaged; a process compares it once.

    Raises: as `iter_parts`.
    """
    shape = (_count_rows(name, entry, parts), entry.dim)
    sweep(file.parent)  # what a killed process left is as large as a matrix
    if file.is_file() and is_whole(file) and (mapped := _mapped(file, shape)) is not None:
        columns = [pq.read_table(path, columns=[entry.key, "valid", *_origin(path)]) for _, path in parts]
        table = pa.concat_tables(columns)
        origin = table.column("origin").to_pylist() if "origin" in table.column_names else None
        ids, valid = table.column(entry.key).to_pylist(), table.column("valid").to_numpy()
        _check_counts(name, entry, len(ids), int(valid.sum()))
        return FeatureSet(name, ids, mapped, valid, entry.key, origin)
    with sealing(file) as temporary:
        matrix = np.lib.format.open_memmap(temporary, "w+", np.float32, shape)
        features = _gather(iter_parts(name, entry, parts), name, entry.key, matrix)
        matrix.flush()
    return replace(features, matrix=np.load(file, mmap_mode="r", allow_pickle=False))


def _mapped(file: Path, shape: tuple[int, int]) -> NDArray[np.float32] | None:
    """A file's matrix, where it is the float32 matrix of that shape."""
    try:
        matrix = np.load(file, mmap_mode="r", allow_pickle=False)
    except (ValueError, OSError, EOFError):
        return None
    return matrix if matrix.shape == shape and matrix.dtype == np.float32 else None


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


def _count_rows(name: str, entry: SetEntry, parts: Iterable[Part]) -> int:
    """The rows of a set's parts, each of which has its columns; compared with the manifest before use."""
    total = 0
    for listed, path in parts:
        with _readable(path), pq.ParquetFile(path) as file:
            _check_columns(name, entry, path, file.schema_arrow)
            rows = file.metadata.num_rows
        if rows != listed.rows:
            raise VerificationError(f"{path} has {rows} rows, expected {listed.rows}. Fetch it again.")
        total += rows
    return total


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
