"""What is in a table's columns, as far as a sample of its rows shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import islice
from typing import Any

from alignrec.extractors.inputs.audio import audio_format
from alignrec.extractors.modality import AUDIO
from alignrec.pipeline.catalog.file_cells import is_url
from alignrec.pipeline.catalog.sources.folder import PICTURES
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.catalog.values import id_text

FIRST = 200  # rows of which all is read
SAMPLE = 20_000  # rows of which short values are read
MAX_COLUMNS = 200  # looked at; in JSON Lines there can be more of them than rows
LONG = 300  # characters: longer values are read of the first rows alone
_DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}(\D.*)?")
_UNIX = (788918400, 2240524800)  # 1995 to 2041, in seconds
_PER_SECOND = (1, 10**3, 10**6, 10**9)


@dataclass(frozen=True)
class Column:
    """A sample of a column.

    Attributes:
        name: of the column.
        position: in the table.
        rows: how many rows the sample has.
        values: what is not empty in them.
    """

    name: str
    position: int
    rows: int
    values: Sequence[Any]

    @property
    def filled(self) -> float:
        """The share of rows that have a value."""
        return len(self.values) / max(self.rows, 1)

    @cached_property
    def texts(self) -> list[str]:
        """The values that could be ids, as text; none where one is a list, an object or bytes."""
        if any(isinstance(value, list | dict | bytes) for value in self.values):
            return []
        return [text for value in self.values if (text := id_text(value)) is not None]

    @cached_property
    def distinct(self) -> float:
        """The share of values that are not those of another row; 0 where they could be no ids."""
        return len(set(self.texts)) / max(len(self.texts), 1)

    @cached_property
    def words(self) -> float:
        """How many words a value has on average; a list has those of all its texts."""
        return _mean([len(_joined(value).split()) for value in self.values[:FIRST]])

    @cached_property
    def letters(self) -> float:
        """The share of values with a letter in them."""
        return self.share(lambda value: any(c.isalpha() for c in _joined(value)))

    @cached_property
    def numbers(self) -> float:
        """The share of values that are numbers."""
        return self.share(is_number)

    @cached_property
    def fractions(self) -> float:
        """The share of values that are numbers with a fraction."""
        return self.share(lambda value: is_number(value) and not float(value).is_integer())

    @cached_property
    def times(self) -> float:
        """The share of values that look like dates or Unix times of any unit."""
        return self.share(is_time)

    @cached_property
    def urls(self) -> float:
        """The share of values that are URLs, or lists of them."""
        return self.share(lambda value: isinstance(first := _first(value), str) and is_url(first))

    @cached_property
    def pictures(self) -> float:
        """The share of values that hold a picture, or are named like one."""
        return self.share(_looks_like_a_picture)

    @cached_property
    def sounds(self) -> float:
        """The share of values that hold a sound, or are named like one."""
        return self.share(_looks_like_a_sound)

    @cached_property
    def readable(self) -> float:
        """The share of values that are text, or lists of it."""
        return self.share(lambda value: isinstance(value, str) or (isinstance(value, list) and _flat(value)))

    def share(self, test: Callable[[Any], Any]) -> float:
        """The share of values, up to `FIRST` of them, that pass a test; 0 without any."""
        return _mean([bool(test(value)) for value in self.values[:FIRST]])


def sample_columns(table: Table) -> list[Column]:
    """A sample of the first `MAX_COLUMNS` columns: many rows of short values, few of long ones.

    Raises:
        CatalogError: the table is damaged.
    """
    names = table.columns[:MAX_COLUMNS]
    first = list(islice(table.rows(names), FIRST))
    short = [name for name in names if not any(_is_long(row[name]) for row in first)]
    more = list(islice(table.rows(short), SAMPLE)) if short else []
    columns = []
    for position, name in enumerate(names):
        rows = more if name in short else first
        values = [row[name] for row in rows if not _is_empty(row[name])]
        columns.append(Column(name, position, len(rows), values))
    return columns


def is_number(value: Any) -> bool:
    """Whether a value is a number, or a text that spells one."""
    try:
        return not isinstance(value, bool) and abs(float(value)) < float("inf")
    except (TypeError, ValueError, OverflowError):
        return False


def is_time(value: Any) -> bool:
    """Whether a value looks like a date, a moment or a Unix time between 1995 and 2041."""
    if isinstance(value, date):
        return True
    if isinstance(value, str) and _DATE.fullmatch(value.strip()):
        return not is_number(value)
    low, high = _UNIX
    return is_number(value) and any(low * unit <= float(value) <= high * unit for unit in _PER_SECOND)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / max(len(values), 1)


def _is_empty(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip()) or value != value


def _is_long(value: Any) -> bool:
    return isinstance(value, bytes | dict | list) or (isinstance(value, str) and len(value) > LONG)


def _flat(values: Sequence[Any]) -> bool:
    return all(value is None or isinstance(value, str | int | float) for value in values)


def _joined(value: Any) -> str:
    """A value's text; "" for bytes and objects."""
    parts = value if isinstance(value, list) else [value]
    return " ".join(str(part) for part in parts if not isinstance(part, bytes | dict | list))


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, list) and value else value


def _looks_like_a_sound(value: Any) -> bool:
    first = _first(value)
    if isinstance(first, dict) and first.get("array") is not None:
        return "sampling_rate" in first
    if isinstance(first, dict):
        first = first.get("path") if first.get("bytes") is None else first["bytes"]
    if isinstance(first, bytes):
        return audio_format(first) is not None
    return isinstance(first, str) and first.lower().partition("?")[0].endswith(AUDIO.endings)


def _looks_like_a_picture(value: Any) -> bool:
    first = _first(value)
    if _looks_like_a_sound(first):
        return False
    if isinstance(first, dict):
        return "bytes" in first or "path" in first
    return isinstance(first, bytes) or (
        isinstance(first, str) and first.lower().partition("?")[0].endswith(PICTURES)
    )
