"""Times of interactions, from whatever a column holds to whole numbers since 1970, in full."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from alignrec.pipeline.catalog.arrow_values import python_values
from alignrec.pipeline.catalog.values import is_text, numbers
from alignrec.pipeline.errors import CatalogError, ConfigError

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # in a second
NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}
# Numbers from each of these on are seconds, milliseconds, microseconds and nanoseconds of 1973 to 5138; a
# smaller one, such as 0 for an unknown time, says nothing of its unit.
_BOUNDS = np.array([10**8, 10**11, 10**14, 10**17], dtype=np.int64)
_ISO = r"^\d{4}([-/.])\d{1,2}[-/.]\d{1,2}([ Tt]|$)"
# 20210403 and 20210403120000 are dates to a person and numbers to a computer.
_COMPACT = ((19_000_101, 21_001_231, 1), (19_000_101_000_000, 21_001_231_235_959, 10**6))


def read_times(column: pa.Array, written: str | None = None) -> pa.Array:
    """The times of a column: null where a value is none.

    Args:
        column: dates or timestamps of any unit, ISO 8601 text, or numbers since 1970; without a zone, UTC.
        written: how text is written, as strptime has it; a unit of `UNITS` changes nothing here.

    Returns:
        timestamps of the column's own unit; or int64 or float64 numbers, whose unit the whole column decides.

    Raises:
        ConfigError: `written` is no format.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return read_times(column.dictionary, written).take(column.indices)
    if isinstance(kind, pa.JsonType):
        values = python_values(column)
        plain = [v if isinstance(v, str | int | float) and not isinstance(v, bool) else None for v in values]
        # Half a surrogate pair is no time, and nothing that Arrow holds.
        texts = [None if v is None else str(v).encode(errors="replace").decode() for v in plain]
        return read_times(pa.array(texts, pa.string()), written)
    pattern = written is not None and written not in UNITS
    if pattern and pa.types.is_integer(kind):
        column, kind = column.cast(pa.string()), pa.string()
    if is_text(kind):
        text = pc.utf8_trim_whitespace(column.cast(pa.string()))
        return _parse(text, str(written)) if pattern else _text_times(text)
    if pa.types.is_timestamp(kind):
        return column.cast(pa.timestamp(kind.unit))
    if pa.types.is_date32(kind):
        return column.cast(pa.timestamp("s"))
    if pa.types.is_date64(kind):
        return column.cast(pa.timestamp("ms"))
    if pa.types.is_integer(kind) and kind != pa.uint64():
        return column.cast(pa.int64())
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return _whole_if_possible(column)
    return pa.nulls(len(column), pa.int64())


def _whole_if_possible(column: pa.Array) -> pa.Array:
    """Numbers as int64 if all are whole ones of 64 bits, else as float64."""
    try:
        return column.cast(pa.int64())
    except pa.ArrowInvalid:
        found = numbers(column)
    return pc.if_else(pc.less(pc.abs(found), 2.0**63), found, None)


def _text_times(text: pa.Array) -> pa.Array:
    for kind in (pa.int64(), pa.timestamp("us"), pa.timestamp("us", "UTC")):
        try:
            found = text.cast(kind)
        except pa.ArrowInvalid:
            continue
        return found.cast(pa.timestamp("us")) if pa.types.is_timestamp(kind) else found
    if pc.any(pc.match_substring_regex(text, _ISO)).as_py():
        return _parse(text, "ISO8601")
    return _whole_if_possible(numbers(text))


def _parse(text: pa.Array, written: str) -> pa.Array:
    """Timestamps of text in one format; each distinct text is parsed once."""
    encoded = text.dictionary_encode()
    distinct = encoded.dictionary
    if written == "ISO8601":
        distinct = pc.if_else(pc.match_substring_regex(distinct, _ISO), distinct, None)
        distinct = pc.replace_substring_regex(pc.utf8_upper(distinct), r"\s*(Z|UTC|GMT)$", "Z")
        distinct = pc.replace_substring_regex(distinct, r"[,](\d+)", r".\1")
    try:
        found = pd.to_datetime(
            pd.Series(distinct.to_pylist(), dtype=object), format=written, errors="coerce", utc=True
        )
    except ValueError as error:
        raise ConfigError(f"catalog.interactions.time_format: {written!r} is no format: {error}") from None
    times = pa.Array.from_pandas(found)
    return times.cast(pa.timestamp(times.type.unit)).take(encoded.indices)


@dataclass
class TimeTally:
    """What the times of a whole column are, counted batch by batch.

    Attributes:
        votes: numbers that are too small to tell, and those of each of `UNITS`.
        stamps: times whose unit is known.
        wrong: values that are no time and not blank, and the first of them.
        compact: whether all numbers so far look like 20210403.
    """

    votes: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(UNITS) + 1, np.int64))
    stamps: int = 0
    wrong: int = 0
    example: Any = None
    compact: bool = True

    def add(self, times: pa.Array) -> None:
        """Count the times of a batch."""
        found = times.drop_null() if times.null_count else times
        if pa.types.is_timestamp(found.type):
            self.stamps += len(found)
        elif len(found):
            values = found.to_numpy(zero_copy_only=False)
            low, high = np.searchsorted(_BOUNDS, np.abs([values.min(), values.max()]), "right")
            if low == high and values.min() > 0:
                self.votes[low] += len(values)
            else:
                self.votes += np.bincount(_classes(values), minlength=len(self.votes))
            self.compact = self.compact and _are_compact(values)

    def add_wrong(self, values: pa.Array) -> None:
        """Count values that are no time."""
        if len(values):
            self.example = self.example if self.wrong else python_values(values.slice(0, 1))[0]
            self.wrong += len(values)

    def join(self, other: TimeTally) -> None:
        """Count another's too."""
        self.votes = self.votes + other.votes
        self.stamps += other.stamps
        self.example = self.example if self.wrong else other.example
        self.wrong += other.wrong
        self.compact = self.compact and other.compact

    @property
    def unit(self) -> str:
        """The unit of most numbers; seconds where none is large enough to tell."""
        return list(UNITS)[int(self.votes[1:].argmax())]

    @property
    def misfits(self) -> bool:
        """Whether some numbers are of another unit than most."""
        return int(self.votes[1:].sum()) > int(self.votes[1:].max())

    def check(self, where: str, column: str, written: str | None) -> None:
        """Stop at a column that is wrong, or ambiguous, as a whole.

        Raises:
            CatalogError: half of it or more is no time, or its numbers can be read in two ways.
        """
        number, key = int(self.votes.sum()), "catalog.interactions.time_format"
        if self.wrong > number + self.stamps:
            expected = f"{key} says {written!r}" if written else "dates are read year first (ISO 8601)"
            raise CatalogError(
                f"{where}: {self.wrong:,} values of the column {column!r} are no times that can be read, "
                f"{self.example!r:.60} for one; {expected}. Set {key} to how they are written, as strptime "
                "has it, such as %d.%m.%Y or %m/%d/%y %H:%M."
            )
        if number and self.compact and written is None:
            raise CatalogError(
                f"{where}: the numbers of the column {column!r} may be dates written like 20210403, or times "
                f"since 1970. Set {key} to %Y%m%d (or %Y%m%d%H%M%S), or to the unit: {', '.join(UNITS)}."
            )


def _classes(values: NDArray[Any]) -> NDArray[np.int64]:
    classes: NDArray[np.int64] = np.searchsorted(_BOUNDS, np.abs(values), "right")
    return classes


def _are_compact(values: NDArray[Any]) -> bool:
    for least, most, per_day in _COMPACT:
        if least <= values.min() and values.max() <= most:
            days = values.astype(np.int64) // per_day
            month, day = days // 100 % 100, days % 100
            return bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all())
    return False


def only_of_unit(times: pa.Array, unit: str) -> pa.Array:
    """The same times without the numbers that are of another unit, or too small to tell."""
    if pa.types.is_timestamp(times.type):
        return times
    classes = _classes(times.fill_null(0).to_numpy(zero_copy_only=False))
    fits = (classes == 0) | (classes == list(UNITS).index(unit) + 1)
    return pc.if_else(pa.array(fits), times, None)


def in_one_unit(parts: Sequence[pa.Array], unit: str) -> tuple[list[pa.Array], str]:
    """Times as whole numbers since 1970, in the coarsest unit that keeps every one in full.

    Args:
        parts: as `read_times` gives them.
        unit: of those that are numbers.

    Returns:
        int64 arrays, and their unit.

    Raises:
        CatalogError: times of nanoseconds stand beside some too far away for these.
    """
    finest = "us"
    try:
        whole = [_integers(part, unit) for part in parts]
        finest = max((one for _, one in whole), key=UNITS.__getitem__, default="s")
        found = [
            part if one == finest else pc.multiply_checked(part, UNITS[finest] // UNITS[one])
            for part, one in whole
        ]
    except pa.ArrowInvalid:
        raise CatalogError(f"some times are too far from 1970 to be kept in {NAMES[finest]}.") from None
    for coarser, per_second in UNITS.items():
        factor = UNITS[finest] // per_second
        if factor == 1:
            return found, finest
        if all(_divisible(part, factor) for part in found):
            return [pc.divide(part, factor) for part in found], coarser
    return found, finest


def _divisible(part: pa.Array, factor: int) -> bool:
    return not (part.fill_null(0).to_numpy(zero_copy_only=False) % factor).any()


def _integers(part: pa.Array, unit: str) -> tuple[pa.Array, str]:
    if pa.types.is_timestamp(part.type):
        return part.cast(pa.int64()), part.type.unit
    if pa.types.is_integer(part.type):
        return part, unit
    if pc.all(pc.equal(part, pc.floor(part)), min_count=0).as_py():
        return part.cast(pa.int64()), unit
    # A float of today's size holds microseconds, and no more.
    factor = max(UNITS["us"] // UNITS[unit], 1)
    return pc.round(pc.multiply(part, factor)).cast(pa.int64()), max(unit, "us", key=UNITS.__getitem__)


def describe_times(
    column: str, tally: TimeTally, unit: str, kept: str, first: int | None, last: int | None
) -> str:
    """How a column of times was understood, in a sentence."""
    numeric = f"numbers, understood as {NAMES[unit]} since 1970"
    how = "dates and times" if tally.stamps else numeric
    span = ""
    if first is not None and last is not None:
        ends = (str(np.datetime64(end // UNITS[kept], "s")).partition("T")[0] for end in (first, last))
        span = " ({} to {})".format(*ends)
    return f"times: the column {column!r} holds {how}{span}, kept in {NAMES[kept]}"


def unit_of(column: pa.Field) -> str:
    """The unit of a run's times: seconds unless the field says otherwise."""
    return str((column.metadata or {}).get(b"unit", b"s").decode())
