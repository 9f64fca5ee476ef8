"""Tables in the formats people have, as Arrow batches of named columns; ids are never reinterpreted.

A format is one object in one module of `formats`, or of a plugin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from alignrec.core.errors import nearest_file, suggest
from alignrec.core.plugins import Registry
from alignrec.pipeline.catalog.values import Row, column_of, rows_of
from alignrec.pipeline.errors import CatalogError

BATCH_BYTES = 2**22  # about what one batch holds: pictures by the dozen, interactions by the hundred thousand
BATCH_ROWS = 2**17
_DICTS_AT_ONCE = 1024


@dataclass(frozen=True)
class Table:
    """An open table.

    Attributes:
        where: the file or dataset, for messages.
        columns: the names of its columns.
        read: (columns, start) to batches of those columns in that order, from row `start` on; reads as it
            goes. Types are the source's own, and may change from batch to batch where it has none.
    """

    where: str
    columns: tuple[str, ...]
    read: Callable[[Sequence[str], int], Iterator[pa.RecordBatch]]

    def batches(self, columns: Sequence[str], start: int = 0) -> Iterator[pa.RecordBatch]:
        """The rows from `start` on, batch by batch, in bounded memory.

        Args:
            columns: what to read, in the order wanted; one named twice is read once.
            start: the first row.

        Raises:
            CatalogError: the table is damaged.
        """
        return self.read(list(dict.fromkeys(columns)), start)

    def rows(self, columns: Sequence[str], start: int = 0) -> Iterator[Row]:
        """The rows from `start` on as dicts of Python values, None for null; for what looks at each alone."""
        for batch in self.batches(columns, start):
            yield from rows_of(batch)

    def require(self, columns: dict[str, str]) -> None:
        """Check that columns exist.

        Args:
            columns: from the config key that names a column to the column.

        Raises:
            CatalogError: one does not; the message names it, its key, and the columns there are.
        """
        for key, column in columns.items():
            if column not in self.columns:
                raise CatalogError(
                    f"{self.where} has no column {column!r}, which {key} names; "
                    f"{suggest(column, self.columns)}. It has: {', '.join(self.columns) or 'none'}."
                )


@dataclass(frozen=True)
class TableFormat:
    """A format of table files.

    Attributes:
        name: of the format.
        endings: of its files' names, such as `.csv`; gzipped ones end in `.csv.gz`.
        open: from the file, which exists, to the table; raises CatalogError where it is damaged.
    """

    name: str
    endings: tuple[str, ...]
    open: Callable[[Path], Table]


FORMATS = Registry(TableFormat, "table format", "alignrec.pipeline.catalog.formats")
FOLDER = "dataset folder"  # the format of folders, which have no ending


def formats_by_ending() -> dict[str, TableFormat]:
    """The formats, by each ending of file names."""
    return {ending: form for form in FORMATS.values() for ending in form.endings}


def format_of(file: Path) -> TableFormat | None:
    """The format that a file's name says it has; None where there is none of that ending."""
    suffixes = [suffix.lower() for suffix in file.suffixes[-2:]]
    ending = suffixes[-2] if len(suffixes) == 2 and suffixes[-1] == ".gz" else "".join(suffixes[-1:])
    return formats_by_ending().get(ending)


def open_table(path: str) -> Table:
    """Open a table file by its name's ending, or a saved dataset's folder.

    Raises:
        CatalogError: there is nothing there, it cannot be read, or the format is not known.
    """
    file = Path(path)
    if file.is_dir():
        return FORMATS[FOLDER].open(file)
    if not file.exists():
        raise CatalogError(
            f"there is no table at {path}.{nearest_file(file)} The path starts from the config's folder."
        )
    form = format_of(file)
    if form is None:
        raise CatalogError(
            f"{path}: the format of {file.suffix or 'a name without ending'} is not known. Expected one of "
            f"{', '.join(formats_by_ending())}, the folder of a saved Hugging Face dataset, or hf:ORG/NAME."
        )
    return form.open(file)


def table_of_rows(where: str, columns: Sequence[str], records: Callable[[], Iterator[Row]]) -> Table:
    """A table of a source that has nothing but rows, one after the other.

    Args:
        where: the source, for messages.
        columns: names; one that a row lacks is null in it.
        records: gives the rows from the first on, anew at each call.
    """

    def read(names: Sequence[str], start: int) -> Iterator[pa.RecordBatch]:
        rows = islice(records(), start, None)
        while some := list(islice(rows, _DICTS_AT_ONCE)):
            yield pa.record_batch([column_of([row.get(name) for row in some]) for name in names], list(names))

    return Table(where, tuple(columns), read)


def batch_rows(total_bytes: int, rows: int) -> int:
    """How many rows make a batch of about `BATCH_BYTES`, in a table of that size."""
    return max(1, min(BATCH_ROWS, BATCH_BYTES * rows // max(total_bytes, 1)))
