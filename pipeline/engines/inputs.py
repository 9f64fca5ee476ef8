"""Raw pictures, sounds and texts of units, read from where their inputs refer to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from alignrec.extractors.inputs.pair import Pair
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.catalog.items import open_catalogue
from alignrec.pipeline.engines.base import Unit

Load = Callable[[], Any]
Decode = Callable[[bytes], Any]


class InputReader:
    """Gives what a model reads, unit after unit; files in the items table are read in one pass."""

    def __init__(self, units: Sequence[Unit], side: int = 0) -> None:
        """Open what the units need; they must then be asked for in this order.

        Args:
            units: of one model.
            side: that pictures are resized to; 0 for full pictures (see `Extractor.picture_side`).
        """
        rows = [item.row for unit in units for item in unit.shard.inputs if item.value is None]
        opened = open_catalogue(units[0].items) if rows else None
        kind = units[0].model.modality.kind
        embedded = opened.embedded(units[0].columns, rows[0], rows[-1] + 1, kind) if opened else iter(())
        self._embedded, self._side = embedded, side

    def __call__(self, unit: Unit) -> Iterator[Load]:
        """For each input of a unit, a call that reads and decodes it; bytes in a table are read at once."""
        decode = unit.model.modality.kind.decoder(self._side)
        for item in unit.shard.inputs:
            fetch: Load
            if isinstance(item.value, str):
                fetch = partial(str, item.value)
            elif item.value is None:
                fetch = partial(_decode, decode, item, self._next(item))
            else:
                fetch = partial(_decode_file, decode, item)
            yield fetch if item.text is None else partial(_pair, fetch, item.text)

    def _next(self, item: Input) -> bytes | None:
        wanted = item.row, item.part
        return next((data for row, part, data in self._embedded if (row, part) == wanted), None)


def _decode(decode: Decode, item: Input, data: bytes | None) -> Any:
    """The content of the bytes that were hashed, and of no others."""
    return decode(item.checked(data))


def _pair(fetch: Load, text: str) -> Pair:
    return Pair(fetch(), text)


def _decode_file(decode: Decode, item: Input) -> Any:
    return decode(item.file_bytes())
