"""Every type of Arrow, as a person would write its values."""

from __future__ import annotations

import uuid
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from alignrec.pipeline.catalog.arrow_values import python_values
from alignrec.pipeline.errors import CatalogError

MOMENT = datetime(2024, 1, 2, 3, 4, 5, 500_000)
SECONDS = pa.array([0, 1_704_164_645, None]).cast(pa.timestamp("s"))
TEXTS = (pa.string(), pa.large_string(), pa.string_view())
LISTS = (pa.list_, pa.large_list, pa.list_view, pa.large_list_view)
UUIDS = pa.array([uuid.UUID(int=5).bytes, None], pa.binary(16))
VALUES = [
    (pa.nulls(1), [None]),
    (pa.array([True, None]), [True, None]),
    (pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1, 0, None], pa.int8())), [True, False, None]),
    *((pa.array([1, None], kind), [1, None]) for kind in (pa.int8(), pa.uint16(), pa.int64(), pa.uint64())),
    (pa.array([2**64 - 1], pa.uint64()), [2**64 - 1]),
    (pa.array([0.1, None]), [0.1, None]),
    (pa.array([0.1, 3, None], pa.float32()), [0.1, 3.0, None]),
    (pa.array([0.5, 3, None], pa.float16()), [0.5, 3.0, None]),
    *(
        (pa.array(["a", None], kind), ["a", None])
        for kind in (pa.string(), pa.large_string(), pa.string_view())
    ),
    *((pa.array([b"a"], kind), [b"a"]) for kind in (pa.binary(), pa.large_binary(), pa.binary_view())),
    (pa.array([b"abc", None], pa.binary(3)), [b"abc", None]),
    (pa.array([Decimal("12.50"), Decimal("0.00"), None]), ["12.50", "0.00", None]),
    (pa.array([Decimal("0.0000001")], pa.decimal256(60, 7)), ["0.0000001"]),
    (pa.array([Decimal("1E+3")], pa.decimal128(10, -3)), ["1000"]),
    (pa.array([Decimal("1.5")], pa.decimal32(5, 1)), ["1.5"]),
    *(
        (pa.array([date(2024, 1, 2), None], kind), ["2024-01-02", None])
        for kind in (pa.date32(), pa.date64())
    ),
    *(
        (SECONDS.cast(pa.timestamp(unit)), ["1970-01-01", "2024-01-02 03:04:05", None])
        for unit in ("s", "ms", "us", "ns")
    ),
    (pa.array([MOMENT, None]), ["2024-01-02 03:04:05.5", None]),
    (SECONDS.cast(pa.timestamp("ns", "UTC")), ["1970-01-01 00:00:00Z", "2024-01-02 03:04:05Z", None]),
    (
        SECONDS.cast(pa.timestamp("ms", "+02:00")),
        ["1970-01-01 02:00:00+0200", "2024-01-02 05:04:05+0200", None],
    ),
    (pa.array([time(13, 5), time(0, 0), None], pa.time32("s")), ["13:05:00", "00:00:00", None]),
    (pa.array([time(13, 5, 1, 500)], pa.time64("ns")), ["13:05:01.0005"]),
    (pa.array([timedelta(1, 5), timedelta(0, 5, 5000), None]), ["24:00:05", "0:00:05.005", None]),
    (pa.array([-timedelta(0, 61)], pa.duration("s")), ["-0:01:01"]),
    (pa.array(["a", None, "a"]).dictionary_encode(), ["a", None, "a"]),
    (pc.run_end_encode(pa.array(["a", "a", "b", None])).slice(1), ["a", "b", None]),
    *(
        (pa.array([["a"], ["b", None], None, []], kind).slice(1), [["b", None], None, []])
        for kind in (make(pa.string()) for make in LISTS)
    ),
    (pa.array([[1, 2], None, [3, 4]], pa.list_(pa.float32(), 2)).slice(1), [None, [3.0, 4.0]]),
    (pa.array([[date(2024, 1, 2)]]), [["2024-01-02"]]),
    (pa.array([{"a": Decimal("1.0"), "b": [b"x"]}, None]), [{"a": "1.0", "b": [b"x"]}, None]),
    (pa.array([{}, None], pa.struct([])), [{}, None]),
    (pa.array([[("a", 1)], None], pa.map_(pa.string(), pa.int32())), [[("a", 1)], None]),
    (pa.ExtensionArray.from_storage(pa.uuid(), UUIDS), [str(uuid.UUID(int=5)), None]),
    (pa.ExtensionArray.from_storage(pa.json_(), pa.array(["[1]", None])), [[1], None]),
]


@pytest.mark.parametrize(
    ("column", "expected"), VALUES, ids=lambda value: str(getattr(value, "type", ""))[:40]
)
def test_values_are_what_a_person_would_write(column: pa.Array, expected: list[Any]) -> None:
    found = python_values(column)
    assert found == expected and [type(value) for value in found] == [type(value) for value in expected]


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, "9" * 5000])
def test_what_is_no_json_in_a_column_of_json_is_one_error(text: str) -> None:
    column = pa.ExtensionArray.from_storage(pa.json_(), pa.array([text]))
    with pytest.raises(CatalogError, match=r"extension<arrow\.json> is no JSON: ."):
        python_values(column)
