"""Lists whose records are held as Arrow columns: millions take little memory."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, Self, TypeVar, overload

import pyarrow as pa

_AT_ONCE = 4096
# As many batches become one: what lies between small pieces of memory adds up.
_SMALL = 4
T = TypeVar("T")


class ArrowList(Sequence[T]):
    """Records in the order in which they came; each is made as it is asked for, and equal every time.

    A slice is a list of the same kind. One without a step shares its columns, and pickles its own rows alone.

    Attributes:
        schema: of the columns.
    """

    schema: ClassVar[pa.Schema]

    def __init__(self, records: Iterable[T] = ()) -> None:
        """Begin with some."""
        self._batches: list[pa.RecordBatch] = []
        self._waiting: list[T] = []
        for record in records:
            self.append(record)

    @staticmethod
    @abstractmethod
    def to_cells(record: T) -> Sequence[Any]:
        """A record's values, in the order of the schema."""

    @staticmethod
    @abstractmethod
    def from_cells(*cells: Any) -> T:
        """The record that `to_cells` gives these values of."""

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """Those that a table of `schema` lists."""
        found = cls()
        found._batches = table.to_batches()
        return found

    def append(self, record: T) -> None:
        """Add one."""
        self._waiting.append(record)
        if len(self._waiting) >= _AT_ONCE:
            self._settle()

    def extend(self, others: Self) -> None:
        """Add all of others."""
        self._settle()
        self._batches += others.table.to_batches()

    @property
    def table(self) -> pa.Table:
        """Their columns, as `schema` has them."""
        self._settle()
        return pa.Table.from_batches(self._batches, self.schema)

    def _settle(self) -> None:
        if self._waiting:
            columns = zip(*map(self.to_cells, self._waiting), strict=True)
            arrays = [pa.array(cells, kind) for cells, kind in zip(columns, self.schema.types, strict=True)]
            self._batches.append(pa.RecordBatch.from_arrays(arrays, schema=self.schema))
            self._waiting = []
            if len(self._batches) >= _SMALL and self._batches[-_SMALL].num_rows == _AT_ONCE:
                self._batches[-_SMALL:] = [pa.concat_batches(self._batches[-_SMALL:])]

    def __len__(self) -> int:
        """How many there are."""
        return int(sum(batch.num_rows for batch in self._batches)) + len(self._waiting)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Self: ...
    def __getitem__(self, index: int | slice) -> T | Self:
        """One of them, or some."""
        places = range(len(self))[index]
        if isinstance(places, int):
            return next(iter(self.from_table(self.table.slice(places, 1))))
        if places.step == 1:
            return self.from_table(self.table.slice(places.start, len(places)))
        return self.from_table(self.table.take(pa.array(places, pa.int64())))

    def __iter__(self) -> Iterator[T]:
        """Each in turn."""
        for batch in self.table.to_batches(max_chunksize=_AT_ONCE):
            yield from map(self.from_cells, *(column.to_pylist() for column in batch.columns))

    def __eq__(self, other: object) -> bool:
        """Whether they are the same, in the same order."""
        if isinstance(other, ArrowList):
            return type(self) is type(other) and bool(self.table.equals(other.table))
        return isinstance(other, list) and list(self) == other

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Callable[..., Self], tuple[bytes]]:
        """By Arrow's stream format, which leaves out what only other slices of the columns have."""
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, self.schema) as stream:
            stream.write_table(self.table)
        return self._from_stream, (sink.getvalue().to_pybytes(),)

    @classmethod
    def _from_stream(cls, data: bytes) -> Self:
        return cls.from_table(pa.ipc.open_stream(data).read_all())
