from __future__ import annotations

import math
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from alignrec.pipeline.catalog.values import (
    blanks,
    column_of,
    id_text,
    id_texts,
    numbers,
    python_values,
    rows_of,
)

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
        ([date(2024, 1, 2)], pa.date32()),
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


COLUMNS = [
    (pa.array(["a", "", None, " "]), ["a", None, None, " "]),
    (pa.array(["a", ""], pa.large_string()), ["a", None]),
    (pa.array(["a", "", None, "a"]).dictionary_encode(), ["a", None, None, "a"]),
    (pa.array([1, None], pa.uint8()), ["1", None]),
    (pa.array([5.0, NAN, None, 1e22, 0.1]), ["5.0", None, None, "1e+22", "0.1"]),
    (pa.nulls(2), [None, None]),
    (pa.array([True, None]), ["True", None]),
    (pa.array([date(2024, 1, 2)]), ["2024-01-02"]),
    (pa.array([[1, 2], None]), ["[1, 2]", None]),
    (column_of([1, "", NAN, None, "x", "\ud800"]), ["1", None, None, None, "x", None]),
]


@pytest.mark.parametrize(("column", "expected"), COLUMNS)
def test_ids_are_text_whatever_they_look_like(column: pa.Array, expected: list[str | None]) -> None:
    assert id_texts(column).equals(pa.array(expected, pa.string()))
    assert [id_text(value) for value in python_values(column)] == expected


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (pa.array(["1", "2.5", "1e3"]), [1.0, 2.5, 1000.0]),
        (pa.array([" 1 ", "", None, "x", "inf", "1_0", "0x1"]), [1.0, *[None] * 6]),
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
