"""Raw pictures and texts of units, read from where their inputs refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from alignrec.extractors.errors import ImageRejectedError
from alignrec.extractors.modality import Kind
from alignrec.pipeline.catalog.items import Input, open_catalogue
from alignrec.pipeline.engines.base import Unit

Load = Callable[[], Any]


class InputReader:
    """Gives what a model reads, unit after unit; pictures in the items table are read in one pass."""

    def __init__(self, units: Sequence[Unit]) -> None:
        """Open what the units need; they must then be asked for in this order."""
        rows = [item.row for unit in units for item in unit.shard.inputs if item.value is None]
        opened = open_catalogue(units[0].items) if rows else None
        self._embedded = opened.embedded(rows[0], rows[-1] + 1) if opened else iter(())

    def __call__(self, unit: Unit) -> Iterator[Load]:
        """For each input of a unit, a call that reads and decodes it; bytes in a table are read at once."""
        kind = unit.model.modality.kind
        for item in unit.shard.inputs:
            if isinstance(item.value, str):
                yield partial(str, item.value)
            elif item.value is None:
                yield partial(_decode, kind, self._next(item))
            else:
                yield partial(_decode_file, kind, item.value)

    def _next(self, item: Input) -> bytes:
        return next(data for row, data in self._embedded if row == item.row)


def _decode(kind: Kind, data: bytes) -> Any:
    return data if kind.decode is None else kind.decode(data)


def _decode_file(kind: Kind, path: Path) -> Any:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ImageRejectedError("unreadable", f"{path.name}: {error.strerror}") from None
    return _decode(kind, data)
