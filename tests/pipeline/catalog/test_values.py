from __future__ import annotations

import math
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from alignrec.pipeline.catalog.arrow_values import python_values
from alignrec.pipeline.catalog.values import (
    blanks,
    column_of,
    id_text,
    id_texts,
    numbers,
    rows_of,
    text_values,
)
from alignrec.pipeline.errors import CatalogError

NAN = math.nan


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([], pa.null()),
        ([None, None], pa.null()),
        (["a", None], pa.string()),
        ([1, None], pa.int64()),
        ([1.0, 2.5], pa.float64()),
        ([True, False], pa.bool_()),
        ([b"\xff"], pa.binary()),
        ([1, 1.5, "1", True, None, {"a": [1]}], pa.json_()),
        ([1, 2.0], pa.json_()),
        ([True, 1], pa.json_()),
        ([2**70], pa.json_()),
        (["\ud800"], pa.json_()),
        ([["a", 1], [None]], pa.json_()),
    ],
)
def test_a_column_gives_back_the_same_values(values: list[Any], kind: pa.DataType) -> None:
    column = column_of(values)
    assert column.type == kind
    found = python_values(column)
    assert found == values and [type(v) for v in found] == [type(v) for v in values]
    batch = pa.record_batch([column, column], ["a", "b"])
    assert list(rows_of(batch, batch.schema.names)) == [{"a": value, "b": value} for value in values]


_SMALL = ["0.0000001", "-0.1"]
COLUMNS = [
    (pa.array(["a", "", None, " "]), ["a", None, None, " "]),
    (pa.array(["a", ""], pa.large_string()), ["a", None]),
    (pa.array(["a", "", None, "a"]).dictionary_encode(), ["a", None, None, "a"]),
    (pa.array([1, None], pa.uint8()), ["1", None]),
    (pa.array([5.0, NAN, None, 2.0**53 - 1, 1e-7, -0.1]), ["5", None, None, "9007199254740991", *_SMALL]),
    (pa.array([b"00", b"", None]), ["00", None, None]),
    (pa.array(["a", None]).cast(pa.string_view()), ["a", None]),
    (pa.nulls(2), [None, None]),
    (pa.array([True, None]), ["True", None]),
    (pa.array([date(2024, 1, 2)]), ["2024-01-02"]),
    (column_of([1, "", NAN, None, "x", "\ud800"]), ["1", None, None, None, "x", None]),
    (
        column_of([1.0, 1e3, 10**19, 1e22, [1], {"a": 1}, "001"]),
        ["1", "1000", str(10**19), *[None] * 3, "001"],
    ),
]


@pytest.mark.parametrize(("column", "expected"), COLUMNS)
def test_ids_are_text_whatever_they_look_like(column: pa.Array, expected: list[str | None]) -> None:
    assert id_texts(column, "t: column 'id'").equals(pa.array(expected, pa.string()))
    assert [id_text(value) for value in python_values(column)] == expected


def test_ids_of_decimals_are_whole_where_they_can_be() -> None:
    column = pa.array([Decimal("5.00"), Decimal("1.50"), None], pa.decimal128(9, 2))
    assert id_texts(column, "t").to_pylist() == ["5", "1.5", None]


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (
            pa.array([1.0, 2.0**53]),
            r"t: column 'id' is of the type double, exact for .* 2 \*\* 53: .* lost digits",
        ),
        (pa.array([2.0**24], pa.float32()), r"of the type float, .* lost digits"),
        (pa.array([[1]]), "of the type list<.*>: a list cannot be an id"),
        (pa.array([{"a": 1}]), "of the type struct<a: int64>, which cannot be written as text"),
        (pa.array([b"\xff"]), "of the type binary, and holds bytes that are not UTF-8"),
    ],
)
def test_what_cannot_be_an_id_is_named_with_its_type(column: pa.Array, expected: str) -> None:
    with pytest.raises(CatalogError, match=expected):
        id_texts(column, "t: column 'id'")


TEXTS = [
    (pa.array([b"a", None]), ["a", None]),
    (pa.array([b"a"], pa.large_binary()), ["a"]),
    (pa.array([b"a"], pa.binary(1)), ["a"]),
    (pa.array([b"a", b"a"]).dictionary_encode(), ["a", "a"]),
    (pa.array([[b"a", None], None]), [["a", None], None]),
    (pa.array(["a", None]).dictionary_encode(), ["a", None]),
    (pa.array([1, 2.5]), [1.0, 2.5]),
    (column_of([1, {"a": 1}]), [1, {"a": 1}]),
]


@pytest.mark.parametrize(("column", "expected"), TEXTS)
def test_texts_are_read_from_any_type_that_holds_them(column: pa.Array, expected: list[Any]) -> None:
    assert text_values(column, "t") == expected


@pytest.mark.parametrize(
    "column",
    [
        pa.array([{"a": 1}]),
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        pa.array([[["a"]]]),
        pa.array([[{"a": 1}]]),
        pa.array([None], pa.month_day_nano_interval()),
        pa.array([b"\xff"]),
        pa.array([[b"\xff"]]),
        pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "x", "y"), pa.array(["a"])),
    ],
)
def test_a_type_that_is_no_text_is_named_with_its_column(column: pa.Array) -> None:
    with pytest.raises(CatalogError, match=r"^t: column 'x' is of the type "):
        text_values(column, "t: column 'x'")


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["1", "2.5", "1e3"]), [1.0, 2.5, 1000.0]),
        (pa.array([" 1 ", "", None, "x", "inf", "1_0", "0x1"]), [1.0, *[None] * 6]),
        (pa.array(["4,5", "-0,125", "1,234", "1,2,3", " 5,0 "]), [4.5, -0.125, None, None, 5.0]),
        (pa.array([Decimal("4.50")]), [4.5]),
        (pa.array([b"4.5"]), [4.5]),
        (pa.array(["1", "x", "1"]).dictionary_encode(), [1.0, None, 1.0]),
        (pa.array([1, None]), [1.0, None]),
        (pa.array([1.5, NAN, math.inf, None]), [1.5, None, None, None]),
        (pa.array([True, None]), [1.0, None]),
        (pa.nulls(1), [None]),
        (pa.array([date(2024, 1, 2)]), [None]),
        (column_of(["1", 2, [3], None, 10**400]), [1.0, 2.0, None, None, None]),
    ],
)
def test_numbers_are_finite_or_null(column: pa.Array, expected: list[float | None]) -> None:
    assert numbers(column).equals(pa.array(expected, pa.float64()))


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["x", "", " ", None]), [False, True, True, True]),
        (pa.array(["x", " ", None]).dictionary_encode(), [False, True, True]),
        (pa.array([0.0, NAN, None]), [False, True, True]),
        (column_of([0, "", None, NAN]), [False, True, True, True]),
    ],
)
def test_blanks_are_values_that_are_not_there(column: pa.Array, expected: list[bool]) -> None:
    assert blanks(column).to_pylist() == expected
