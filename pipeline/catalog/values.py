"""What a table's values are to a run: ids as text, ratings as numbers, rows as dicts.

Every conversion between what a source holds and what a run works with is here. Values of one plain type are
an Arrow column of that type; a column that mixes types, as JSON Lines may, holds JSON (`arrow.json`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from alignrec.pipeline.catalog.arrow_values import element_type, is_bytes, is_list, is_opaque, python_values
from alignrec.pipeline.errors import CatalogError

Row = dict[str, Any]
DEEPEST = 100  # lists and objects inside one another; far below what Python's own recursion bears
_EXACT_BITS = {pa.float16(): 11, pa.float32(): 24, pa.float64(): 53}  # of the significand
_DECIMAL_COMMA = re.compile(r"\s*[+-]?(?:\d+,\d{1,2}|0,\d+)\s*")  # 1,234 may be a thousand
_PLAIN = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_(), bytes: pa.binary()}


def check_depth(value: Any, text: str) -> None:
    """Refuse lists and objects more than `DEEPEST` levels inside one another.

    Args:
        value: what was read.
        text: what it was read from; one with few brackets is not looked into.

    Raises:
        RecursionError: as reading much deeper ones raises.
    """
    if text.count("[") + text.count("{") > DEEPEST and _depth(value) > DEEPEST:
        raise RecursionError


def _depth(value: Any) -> int:
    """How many lists and objects are inside one another."""
    depth, level = 0, [value]
    while level := [part for one in level for part in _parts(one)]:
        depth += 1
    return depth


def _parts(value: Any) -> Sequence[Any]:
    if isinstance(value, dict):
        return list(value.values()) or [None]
    return (value or [None]) if isinstance(value, list) else []


def column_of(values: Sequence[Any]) -> pa.Array:
    """An Arrow column that gives back the same Python values.

    Raises:
        pa.ArrowException: they are of several types, and JSON cannot hold them all.
    """
    types = {type(value) for value in values if value is not None}
    if not types:
        return pa.nulls(len(values))
    if len(types) == 1 and (plain := _PLAIN.get(types.pop())):
        try:
            return pa.array(values, plain)
        except (OverflowError, UnicodeEncodeError):
            pass  # a whole number beyond 64 bits, half a surrogate pair: JSON holds both
    try:
        texts = [None if value is None else json.dumps(value) for value in values]
    except TypeError:
        return pa.array(values)
    return pa.ExtensionArray.from_storage(pa.json_(), pa.array(texts, pa.string()))


def rows_of(batch: pa.RecordBatch, names: Sequence[str]) -> Iterator[Row]:
    """A batch's rows as dicts, by the names of its columns, which a batch holds only as far as UTF-8 can."""
    columns = [python_values(column) for column in batch.columns]
    for values in zip(*columns, strict=True):
        yield dict(zip(names, values, strict=True))


def text_values(column: pa.Array, where: str) -> list[Any]:
    """A column's values as a text template takes them: texts, numbers and lists of these, None for null.

    Bytes are UTF-8. A column of JSON has no type, so whoever reads its values judges them one by one.

    Args:
        column: of any type.
        where: the table and the column, for messages.

    Raises:
        CatalogError: values of the column's type are no text.
    """
    kind = element_type(column.type)
    part = element_type(kind.value_type) if is_list(kind) else kind
    if pa.types.is_nested(part) or pa.types.is_interval(part) or is_opaque(part):
        raise CatalogError(f"{where} is of the type {kind}, which cannot be written as text: name another.")
    values = python_values(column)
    if not is_bytes(part):
        return values
    try:
        return [_decoded(value) for value in values]
    except UnicodeDecodeError as error:
        raise CatalogError(
            f"{where} is of the type {kind}, and holds bytes that are not UTF-8: {error}."
        ) from None


def _decoded(value: Any) -> Any:
    if isinstance(value, list):
        return [_decoded(part) for part in value]
    return value.decode() if isinstance(value, bytes) else value


def id_text(value: Any) -> str | None:
    """An id as text, whatever it looks like; None where there is none that UTF-8 can hold.

    A number is written in full: 7.0 is `7`, and none has an exponent. One that may have lost digits, beyond
    what 64 bits of floating point hold exactly, is none; nor is a list or an object.
    """
    if value is None or value == "" or isinstance(value, (list, dict)):
        return None
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}".removesuffix(".0") if abs(value) < 2**53 else None
    try:
        text = value.decode() if isinstance(value, bytes) else str(value)
        text.encode()
    except UnicodeError:
        return None
    return text or None


def id_texts(column: pa.Array, where: str) -> pa.Array:
    """A column of ids as `id_text` has them: string, null where there is none.

    Args:
        column: of any type.
        where: the table and the column, for messages.

    Raises:
        CatalogError: values of the column's type are no ids, or floats that have lost digits.
    """
    kind = column.type
    if pa.types.is_floating(kind):
        exact = pc.less(pc.abs(column.cast(pa.float64())), 2.0 ** _EXACT_BITS[kind])
        if not pc.all(pc.or_(exact, pc.invert(pc.is_finite(column))), min_count=0).as_py():
            raise CatalogError(
                f"{where} is of the type {kind}, exact for whole numbers up to 2 ** {_EXACT_BITS[kind]}: "
                "larger ids have lost digits. Write the column as whole numbers or as text."
            )
        column, kind = column.dictionary_encode(), pa.dictionary(pa.int32(), kind)
    if pa.types.is_dictionary(kind):
        return _id_texts_one_by_one(column.dictionary, where).take(column.indices)
    if pa.types.is_integer(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    if not is_text(kind):
        return _id_texts_one_by_one(column, where)
    texts = column.cast(pa.string())
    empty = pc.equal(pc.binary_length(texts), 0)
    return pc.if_else(empty, pa.scalar(None, pa.string()), texts) if pc.any(empty).as_py() else texts


def _id_texts_one_by_one(column: pa.Array, where: str) -> pa.Array:
    """`id_texts` of a column of any type, value by value."""
    kind = element_type(column.type)
    if is_list(kind):
        raise CatalogError(f"{where} is of the type {kind}: a list cannot be an id.")
    values = text_values(column, where)
    if pa.types.is_decimal(kind):
        values = [
            value if value is None or "." not in value else value.rstrip("0").rstrip(".") for value in values
        ]
    return pa.array([id_text(value) for value in values], pa.string())


def numbers(column: pa.Array) -> pa.Array:
    """A column as float64; null where a value is no finite number."""
    kind = column.type
    if is_text(kind):
        try:
            found = column.cast(pa.float64())
        except pa.ArrowInvalid:  # some text is no number, or has blanks around it
            encoded = column.dictionary_encode()
            found = _numbers_one_by_one(encoded.dictionary).take(encoded.indices)
    elif pa.types.is_primitive(kind) and not pa.types.is_temporal(kind):
        found = column.cast(pa.float64(), safe=False)
    else:
        found = _numbers_one_by_one(column)
    finite = pc.is_finite(found)
    return found if pc.all(finite, min_count=0).as_py() else pc.if_else(finite, found, None)


def _numbers_one_by_one(column: pa.Array) -> pa.Array:
    return pa.array([_number(value) for value in python_values(column)], pa.float64())


def _number(value: Any) -> float | None:
    if isinstance(value, str) and _DECIMAL_COMMA.fullmatch(value):
        value = value.replace(",", ".")
    if isinstance(value, str) and ("_" in value or not value.isascii()):
        return None  # Python takes 1_000 and digits of all scripts for numbers; tables do not mean them so
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return None


def is_text(kind: pa.DataType) -> bool:
    """Whether a type is text."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def blanks(column: pa.Array) -> pa.Array:
    """Where a column has no value: null, text of nothing but blanks, not a number; bool."""
    if isinstance(column.type, pa.JsonType):
        return pa.array([_is_blank(value) for value in python_values(column)], pa.bool_())
    if pa.types.is_dictionary(column.type):
        return blanks(column.dictionary).take(column.indices).fill_null(True)
    if is_text(column.type):
        return pc.equal(pc.utf8_length(pc.utf8_trim_whitespace(column)), 0).fill_null(True)
    return column.is_null(nan_is_null=True)


def _is_blank(value: Any) -> bool:
    return value is None or value != value or (isinstance(value, str) and not value.strip())
