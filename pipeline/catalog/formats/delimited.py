"""Tables with a separator between fields: CSV, TSV, and RecBole's and MMRec's atomic files. All is text."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from alignrec.pipeline.catalog.files import open_bytes, readable
from alignrec.pipeline.catalog.formats.format import TableFormat
from alignrec.pipeline.catalog.tables import BATCH_BYTES, Table
from alignrec.pipeline.errors import CatalogError

# Stands in every field of a last row of our own: where it is not read back, a quote before it is still open.
_END = "\x1eend of table\x1e"
_LARGEST_BLOCK = 2**30


def open_delimited(file: Path, separator: str) -> Table:
    """A file with a header; an empty field is "", and no field is null.

    Raises:
        CatalogError: it is empty, not UTF-8, or its compressed data are damaged.
    """
    names = column_names(_header(file, separator))
    return Table(str(file), names, partial(_read, file, separator, names))


def open_atomic(file: Path) -> Table:
    """An atomic file of RecBole, whose header is `name:type`; MMRec's have no types.

    Raises:
        CatalogError: as `open_delimited`.
    """
    header = _header(file, "\t")
    names = column_names([field.partition(":")[0] for field in header])
    lists = {
        name for name, field in zip(names, header, strict=True) if field.partition(":")[2].endswith("_seq")
    }

    def read(columns: Sequence[str], start: int) -> Iterator[pa.RecordBatch]:
        for batch in _read(file, "\t", names, columns, start):
            found = [_words(batch[name]) if name in lists else batch[name] for name in columns]
            yield pa.record_batch(found, list(columns))

    return Table(str(file), names, read)


def column_names(header: Sequence[str]) -> tuple[str, ...]:
    """Names that tell columns apart: a second `a` is `a.1`, and one without a name `Unnamed: 0`."""
    names: dict[str, None] = {}
    numbers: dict[str, int] = {}  # the last of each name: a search from 1 would grow with the square
    for position, field in enumerate(header):
        name = base = field or f"Unnamed: {position}"
        while name in names:
            numbers[base] = numbers.get(base, 0) + 1
            name = f"{base}.{numbers[base]}"
        names[name] = None
    return tuple(names)


def _words(column: pa.Array) -> pa.Array:
    """A list of words, with single blanks between them."""
    return pc.binary_join(pc.utf8_split_whitespace(pc.utf8_trim_whitespace(column)), " ")


def _header(file: Path, separator: str) -> list[str]:
    with readable(file), open_bytes(file) as stream:
        for row in _records(stream, separator):
            return row
    raise CatalogError(f"{file} is empty: expected a header and rows.")


def _records(stream: IO[bytes], separator: str, more: Iterable[str] = ()) -> Iterator[list[str]]:
    """Rows as Python's reader has them, without empty lines."""
    lines = io.TextIOWrapper(stream, "utf-8-sig", newline="")
    return (row for row in csv.reader(chain(lines, more), delimiter=separator) if row)


def _read(
    file: Path, separator: str, names: Sequence[str], columns: Sequence[str], start: int
) -> Iterator[pa.RecordBatch]:
    """Batches from row `start` on; where a row does not fit a block, larger ones are taken from there on."""
    block, done = BATCH_BYTES, start
    while block <= _LARGEST_BLOCK:
        position = 0
        try:
            with readable(file):
                for batch in _blocks(file, separator, names, columns, block):
                    skipped = max(done - position, 0)
                    position += batch.num_rows
                    if skipped < batch.num_rows:
                        done = position
                        yield batch.slice(skipped)
            return
        except _RowTooLargeError:
            block *= 8
    raise CatalogError(f"{file}: a row is larger than {block // 8:,} bytes, and cannot be read.")


class _RowTooLargeError(Exception):
    """A row does not fit a block."""


def _blocks(
    file: Path, separator: str, names: Sequence[str], columns: Sequence[str], block: int
) -> Iterator[pa.RecordBatch]:
    """Batches of all rows, a block of bytes each."""
    end = "\n" + separator.join([_END] * len(names)) + "\n"
    with open_bytes(file) as stream:
        try:
            reader = pa.csv.open_csv(
                _Followed(stream, end.encode()),
                pa.csv.ReadOptions(block_size=block, column_names=list(names)),
                pa.csv.ParseOptions(delimiter=separator, newlines_in_values=True),
                pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()), include_columns=list(columns)
                ),
            )
            # The first row is the header. The last one is ours, so a batch is kept until another follows.
            held = reader.read_next_batch().slice(1)
            for batch in reader:
                yield held
                held = batch
        except pa.ArrowInvalid as error:
            if "straddling object" in str(error):
                raise _RowTooLargeError from None
            raise _explain(file, separator, len(names), error) from None
    if not held.num_rows or held.column(0)[-1].as_py() != _END:
        raise _explain(file, separator, len(names), None)
    yield held.slice(0, held.num_rows - 1)


class _Followed(io.RawIOBase):
    """A stream, followed by some bytes of our own."""

    def __init__(self, stream: IO[bytes], end: bytes) -> None:
        super().__init__()
        self._stream, self._end = stream, end

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if not data:
            data, self._end = self._end, b""
        return data


def _explain(file: Path, separator: str, fields: int, error: Exception | None) -> Exception:
    """The error that says which line is wrong; the error itself where Python's reader finds nothing wrong."""
    end = separator.join([_END] * fields)
    with open_bytes(file) as stream:
        lines = io.TextIOWrapper(stream, "utf-8-sig", newline="")
        reader = csv.reader(chain(lines, ["\n", end]), delimiter=separator)
        line = 1
        try:
            for row in reader:
                if row and any(_END in field for field in row) and row != [_END] * fields:
                    return CatalogError(f"{file}, line {line}: a quoted field begins there and never ends.")
                if row and len(row) != fields:
                    return CatalogError(f"{file}, line {line}: expected {fields} fields, got {len(row)}.")
                line = reader.line_num + 1
        except (csv.Error, UnicodeDecodeError):
            pass
    return error or CatalogError(f"{file}: a quoted field at the end never ends.")


def _with(separator: str) -> Callable[[Path], Table]:
    return partial(open_delimited, separator=separator)


CSV = TableFormat("CSV", (".csv",), _with(","))
TSV = TableFormat("TSV", (".tsv",), _with("\t"))
ATOMIC = TableFormat("atomic file", (".inter", ".item"), open_atomic)
