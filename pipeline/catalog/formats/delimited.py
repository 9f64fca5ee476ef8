"""Tables with a separator between fields: CSV, TSV, and RecBole's and MMRec's atomic files. All is text."""

from __future__ import annotations

import codecs
import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from alignrec.pipeline.catalog.files import open_text, readable
from alignrec.pipeline.catalog.formats.dialect import (
    NUL,
    SEPARATORS,
    Dialect,
    find_dialect,
    find_fault,
    tab_dialect,
)
from alignrec.pipeline.catalog.formats.format import TableFormat
from alignrec.pipeline.catalog.tables import BATCH_BYTES, Table
from alignrec.pipeline.errors import CatalogError

# Stands in every field of a last row of our own: where it is not read back, a quote before it is still open.
_END = "\x1eend of table\x1e"
_LARGEST_BLOCK = 2**30
_LINES_LOOKED_AT = 40  # for the separator of a CSV file


def open_csv(file: Path) -> Table:
    """A file whose name says CSV; semicolons, tabs and vertical bars are recognised, and noted.

    Raises:
        CatalogError: as `open_delimited`.
    """
    with readable(file), open_text(file) as stream:
        dialect = find_dialect(list(islice(_lines(stream), _LINES_LOOKED_AT)))
    if dialect.separator == ",":
        return open_delimited(file, dialect)
    note = f"{file}: its fields are separated by {SEPARATORS[dialect.separator]}."
    return replace(open_delimited(file, dialect), notes=(note,))


def open_tsv(file: Path) -> Table:
    """A tab-separated file; raises as `open_delimited`."""
    with readable(file), open_text(file) as stream:
        header = next((line for line in _lines(stream) if line.strip("\r\n")), "")
    return open_delimited(file, tab_dialect(header))


def open_delimited(file: Path, dialect: Dialect) -> Table:
    """A file with a header; an empty field is "", and no field is null.

    Raises:
        CatalogError: it is empty, not UTF-8 or (with its mark) UTF-16, or its compressed data are damaged.
    """
    header = _header(file, dialect)
    names = column_names(header)
    repeated = frozenset(name for name, count in Counter(header).items() if name and count > 1)
    return Table(str(file), names, partial(_read, file, dialect, header, names), repeated=repeated)


def open_atomic(file: Path) -> Table:
    """An atomic file of RecBole, whose header is `name:type`; MMRec's have no types.

    Raises:
        CatalogError: as `open_delimited`.
    """
    dialect = Dialect("\t", quotes=False)
    header = _header(file, dialect)
    names = column_names([field.partition(":")[0] for field in header])
    lists = {
        name for name, field in zip(names, header, strict=True) if field.partition(":")[2].endswith("_seq")
    }

    def read(columns: Sequence[str], start: int) -> Iterator[pa.RecordBatch]:
        for batch in _read(file, dialect, header, names, columns, start):
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


def _header(file: Path, dialect: Dialect) -> list[str]:
    with readable(file), open_text(file) as stream:
        try:
            for line, _, fields in dialect.rows(_lines(stream)):
                if "\0" in "".join(fields):
                    raise CatalogError(f"{file}, line {line}: {NUL}")
                return fields
        except csv.Error as error:
            raise _explain(file, dialect, [], error) from None
    raise CatalogError(f"{file} is empty: expected a header and rows.")


def _lines(stream: IO[bytes]) -> Iterator[str]:
    """Lines with their ends, whatever these are."""
    return iter(io.TextIOWrapper(stream, "utf-8-sig", newline=""))


def _read(
    file: Path,
    dialect: Dialect,
    header: Sequence[str],
    names: Sequence[str],
    columns: Sequence[str],
    start: int,
) -> Iterator[pa.RecordBatch]:
    """Batches from row `start` on; where a row does not fit a block, larger ones are taken from there on."""
    block, done = BATCH_BYTES, start
    while block <= _LARGEST_BLOCK:
        position = 0
        try:
            with readable(file):
                for batch in _blocks(file, dialect, header, names, columns, block):
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
    file: Path,
    dialect: Dialect,
    header: Sequence[str],
    names: Sequence[str],
    columns: Sequence[str],
    block: int,
) -> Iterator[pa.RecordBatch]:
    """Batches of all rows, a block of bytes each."""
    end = "\n" + dialect.separator.join([_END] * len(names)) + "\n"
    with open_text(file) as stream:
        watched = _Watched(stream, end.encode(), dialect)
        try:
            reader = pa.csv.open_csv(
                watched,
                pa.csv.ReadOptions(block_size=block, column_names=list(names), skip_rows=dialect.skipped),
                pa.csv.ParseOptions(
                    delimiter=dialect.separator,
                    quote_char='"' if dialect.quotes else False,
                    newlines_in_values=dialect.quotes,
                ),
                pa.csv.ConvertOptions(
                    column_types=dict.fromkeys(columns, pa.string()), include_columns=list(columns)
                ),
            )
            # The first row is the header. The last one is ours, so a batch is kept until another follows.
            held = reader.read_next_batch().slice(1)
            for batch in reader:
                watched.check(file, header)
                yield held
                held = batch
        except pa.ArrowInvalid as error:
            if "straddling object" in str(error):
                raise _RowTooLargeError from None
            raise _explain(file, dialect, header, error) from None
    if not held.num_rows or held.column(0)[-1].as_py() != _END:
        raise _explain(file, dialect, header, CatalogError(f"{file}: a quoted field at the end never ends."))
    watched.check(file, header)
    yield held.slice(0, held.num_rows - 1)


class _Watched(io.RawIOBase):
    """A stream, followed by some bytes of our own; NULs and odd quotes in it are noticed."""

    def __init__(self, stream: IO[bytes], end: bytes, dialect: Dialect) -> None:
        super().__init__()
        self._stream, self._end, self._dialect = stream, end, dialect
        self._suspicious = self._checked = False
        self._before = b"\n\n"

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        if not data:
            data, self._end = self._end, b""
        if data and not self._suspicious:
            self._suspicious = b"\0" in data or (self._dialect.quotes and self._odd_quotes(data))
        return data

    def check(self, file: Path, header: Sequence[str]) -> None:
        """Look row by row, once, at a file in which something looked wrong.

        Raises:
            CatalogError: a row breaks the rules.
        """
        if self._suspicious and not self._checked:
            self._checked = True
            if fault := _fault(file, self._dialect, header):
                raise CatalogError(f"{file}, {fault}")

    def _odd_quotes(self, data: bytes) -> bool:
        """Whether some quote has neither a separator, a line's end nor a quote beside it."""
        before, self._before = self._before, data[-2:]
        if b'"' not in data:
            return False
        text = np.frombuffer(before + data.removeprefix(codecs.BOM_UTF8), np.uint8)
        quotes = text == ord('"')
        edges = quotes | (text == ord(self._dialect.separator)) | (text == ord("\n")) | (text == ord("\r"))
        return bool((quotes[1:-1] & ~(edges[:-2] | edges[2:])).any())


def _explain(file: Path, dialect: Dialect, header: Sequence[str], error: Exception) -> Exception:
    """The error that says which line is wrong; `error` where no row breaks the rules."""
    fault = _fault(file, dialect, header)
    return CatalogError(f"{file}, {fault}") if fault else error


def _fault(file: Path, dialect: Dialect, header: Sequence[str]) -> str | None:
    end = dialect.separator.join([_END] * max(len(header), 1))
    with open_text(file) as stream:
        try:
            return find_fault(dialect, chain(_lines(stream), ["\n", end]), header)
        except UnicodeDecodeError:
            return None  # `readable` says so


CSV = TableFormat("CSV", (".csv",), open_csv)
TSV = TableFormat("TSV", (".tsv",), open_tsv)
ATOMIC = TableFormat("atomic file", (".inter", ".item"), open_atomic)
