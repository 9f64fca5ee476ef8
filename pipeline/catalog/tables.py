"""An open table: Arrow batches of its named columns, whatever it was read from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from alignrec.core.display import listed, shown
from alignrec.core.errors import suggest
from alignrec.pipeline.catalog.arrow_values import python_values
from alignrec.pipeline.catalog.values import Row, column_of
from alignrec.pipeline.errors import CatalogError

BATCH_BYTES = 2**22  # about what one batch holds: pictures by the dozen, interactions by the hundred thousand
BATCH_ROWS = 2**17
_DICTS_AT_ONCE = 1024


Conversion = Callable[[pa.Array, str], Sequence[Any]]  # from a column, and its place for messages


def _as_they_are(column: pa.Array, _where: str) -> list[Any]:
    return python_values(column)


@dataclass(frozen=True)
class Table:
    """An open table.

    Attributes:
        where: the file or dataset, for messages.
        columns: the names of its columns.
        read: (columns, start) to batches of those columns in that order, from row `start` on; reads as it
            goes. Types are the source's own, and may change from batch to batch where it has none.
        notes: what was taken of the source, or understood, where that is not plain; for a person.
        repeated: names that several columns of the source have; no config can mean one of these.
    """

    where: str
    columns: tuple[str, ...]
    read: Callable[[Sequence[str], int], Iterator[pa.RecordBatch]]
    notes: tuple[str, ...] = ()
    repeated: frozenset[str] = frozenset()

    def batches(self, columns: Sequence[str], start: int = 0) -> Iterator[pa.RecordBatch]:
        """The rows from `start` on, batch by batch, in bounded memory.

        Args:
            columns: what to read, in the order wanted; one named twice is read once.
            start: the first row.

        Raises:
            CatalogError: the table is damaged.
        """
        return self.read(list(dict.fromkeys(columns)), start)

    def rows(
        self, columns: Sequence[str], start: int = 0, conversions: Mapping[str, Conversion] | None = None
    ) -> Iterator[Row]:
        """The rows from `start` on as dicts of Python values, None for null; for what looks at each alone.

        Args:
            columns: what to read; one named twice is read once.
            start: the first row.
            conversions: what makes Python values of a column; `python_values` for one that is not named.

        Raises:
            CatalogError: the table is damaged, or a column cannot be converted.
        """
        names = list(dict.fromkeys(columns))
        convert = [(conversions or {}).get(name, _as_they_are) for name in names]
        for batch in self.read(names, start):
            values = []
            for name, conversion, column in zip(names, convert, batch.columns, strict=True):
                try:
                    values.append(conversion(column, self.place(name)))
                except (ValueError, OverflowError, RecursionError, pa.ArrowException) as error:
                    raise CatalogError(
                        f"{self.place(name)}, of the type {column.type}, cannot be read: {error}"
                    ) from None
            for row in zip(*values, strict=True):
                yield dict(zip(names, row, strict=True))

    def place(self, column: str) -> str:
        """A column's name with its table's, for messages."""
        return f"{self.where}: column {column!r}"

    def require(self, columns: dict[str, str]) -> None:
        """Check that columns exist.

        Args:
            columns: from the config key that names a column to the column.

        Raises:
            CatalogError: one does not, or several have its name; the message names it, its key, and the
                columns there are.
        """
        if not self.columns:
            raise CatalogError(
                f"{self.where} is empty: expected rows with the columns that the config names."
            )
        for key, column in columns.items():
            if column in self.repeated:
                raise CatalogError(
                    f"{self.where} has several columns {column!r}, which {key} names: "
                    "give each a name of its own."
                )
            if column not in self.columns:
                raise CatalogError(
                    f"{self.where} has no column {shown(column)}, which {key} names; "
                    f"{suggest(column, self.columns)}. It has: {listed(self.columns) or 'none'}."
                )


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
            columns = [column_of([row.get(name) for row in some]) for name in names]
            # JSON can spell half a character, UTF-8 cannot.
            yield pa.record_batch(columns, [name.encode("utf-8", "replace").decode() for name in names])

    return Table(where, tuple(columns), read)


def batch_rows(total_bytes: int, rows: int) -> int:
    """How many rows make a batch of about `BATCH_BYTES`, in a table of that size."""
    return max(1, min(BATCH_ROWS, BATCH_BYTES * rows // max(total_bytes, 1)))
