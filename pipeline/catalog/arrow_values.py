"""Arrow columns as Python values, by type: what a person would write, whatever a source stores it as.

Numbers, texts and bytes stay what they are; dates, times, decimals and UUIDs are text; lists and structs
hold values of the same kinds. https://arrow.apache.org/docs/format/Columnar.html has the types.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from alignrec.pipeline.errors import CatalogError

_MIDNIGHT = re.compile(r" 00:00:00$")
_FRACTION = re.compile(r"\.(\d*?)0*(?!\d)")
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def python_values(column: pa.Array) -> list[Any]:
    """A column's values in Python; None for null.

    Raises:
        pa.ArrowException, ValueError: a value is not what its type promises.
    """
    convert = next((convert for holds, convert in _CONVERSIONS if holds(column.type)), pa.Array.to_pylist)
    values: list[Any] = convert(column)
    return values


def element_type(kind: pa.DataType) -> pa.DataType:
    """The type of a column's values without what only stores them: dictionaries, run ends."""
    while pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        kind = kind.value_type
    return kind


def is_list(kind: pa.DataType) -> bool:
    """Whether values of a type are lists, however they are laid out."""
    return bool(
        pa.types.is_list(kind)
        or pa.types.is_large_list(kind)
        or pa.types.is_fixed_size_list(kind)
        or pa.types.is_list_view(kind)
        or pa.types.is_large_list_view(kind)
    )


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values of a type are bytes."""
    return bool(
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_binary_view(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


def is_opaque(kind: pa.DataType) -> bool:
    """Whether only the library that made a type knows what its values are."""
    known = (pa.JsonType, pa.UuidType, pa.Bool8Type)
    return isinstance(kind, pa.BaseExtensionType) and not isinstance(kind, known)


def _texts(column: pa.Array) -> list[Any]:
    values: list[Any] = column.cast(pa.string()).to_pylist()
    return values


def _times(column: pa.Array) -> list[str | None]:
    """Without zeros at the end of a fraction, and without a midnight that no zone belongs to."""
    return [
        None if text is None else _MIDNIGHT.sub("", _FRACTION.sub(_shortened, text))
        for text in _texts(column)
    ]


def _shortened(fraction: re.Match[str]) -> str:
    return f".{fraction[1]}" if fraction[1] else ""


def _durations(column: pa.Array) -> list[str | None]:
    """Hours, minutes and seconds."""
    per_second = _PER_SECOND[column.type.unit]
    return [None if count is None else _duration(count, per_second) for count in _counts(column)]


def _counts(column: pa.Array) -> list[int | None]:
    counts: list[int | None] = column.cast(pa.int64()).to_pylist()
    return counts


def _duration(count: int, per_second: int) -> str:
    whole, rest = divmod(abs(count), per_second)
    fraction = f"{rest:0{len(str(per_second)) - 1}d}".rstrip("0") if rest else ""
    text = f"{whole // 3600}:{whole // 60 % 60:02d}:{whole % 60:02d}"
    return f"{'-' if count < 0 else ''}{text}{'.' if fraction else ''}{fraction}"


def _decimals(column: pa.Array) -> list[str | None]:
    return [None if value is None else f"{Decimal(value):f}" for value in _texts(column)]


def _short_floats(column: pa.Array) -> list[float | None]:
    """Floats of fewer than 64 bits by their shortest spelling: 0.1, and not 0.10000000149011612."""
    values = column.cast(pa.float32()).cast(pa.string()).to_pylist()
    return [None if value is None else float(value) for value in values]


def _from_dictionary(column: pa.Array) -> list[Any]:
    values = python_values(column.dictionary)
    return [None if index is None else values[index] for index in column.indices.to_pylist()]


def _lists(column: pa.Array) -> list[Any]:
    values = iter(python_values(column.flatten()))
    lengths = pc.list_value_length(column).to_pylist()
    empty = column.is_null().to_pylist()
    return [
        None if absent else list(islice(values, length))
        for length, absent in zip(lengths, empty, strict=True)
    ]


def _structs(column: pa.Array) -> list[Any]:
    names = [field.name for field in column.type]
    fields: Sequence[list[Any]] = [python_values(field) for field in column.flatten()]
    rows = zip(*fields, strict=True) if fields else iter([()] * len(column))
    valid = column.is_valid().to_pylist()
    return [
        dict(zip(names, row, strict=True)) if present else None
        for row, present in zip(rows, valid, strict=True)
    ]


def _json(column: pa.Array) -> list[Any]:
    try:
        return [None if text is None else json.loads(text) for text in column.storage.to_pylist()]
    except (ValueError, RecursionError) as error:
        raise CatalogError(f"a value of the type {column.type} is no JSON: {error}.") from None


def _uuids(column: pa.Array) -> list[str | None]:
    return [None if value is None else str(value) for value in column.to_pylist()]


_CONVERSIONS: Sequence[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], list[Any]]]] = (
    (pa.types.is_dictionary, _from_dictionary),
    (pa.types.is_run_end_encoded, lambda column: python_values(pc.run_end_decode(column))),
    (pa.types.is_float16, _short_floats),
    (pa.types.is_float32, _short_floats),
    (pa.types.is_decimal, _decimals),
    (pa.types.is_date, _texts),
    (pa.types.is_time, _times),
    (pa.types.is_timestamp, _times),
    (pa.types.is_duration, _durations),
    (is_list, _lists),
    (pa.types.is_struct, _structs),
    (lambda kind: isinstance(kind, pa.JsonType), _json),
    (lambda kind: isinstance(kind, pa.UuidType), _uuids),
)
