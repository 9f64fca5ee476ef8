"""Times of every kind that tables hold, against the instants that they mean."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.pipeline.catalog.times import TimeTally, in_one_unit, read_times, unit_of
from alignrec.pipeline.catalog.values import column_of
from alignrec.pipeline.errors import CatalogError, ConfigError

MOMENT = datetime(2021, 4, 3, 10, 20, 30)
SECONDS = 1_617_445_230
DAY = 1_617_408_000
ZONE = timezone(timedelta(hours=2))

COLUMNS = [
    *(
        (pa.array([MOMENT, None], pa.timestamp(unit)), [SECONDS, None], "s")
        for unit in ("s", "ms", "us", "ns")
    ),
    (pa.array([MOMENT.replace(tzinfo=UTC).astimezone(ZONE)], pa.timestamp("ms", "+02:00")), [SECONDS], "s"),
    (pa.array([10**18 + 1], pa.timestamp("ns")), [10**18 + 1], "ns"),
    (pa.array([date(2021, 4, 3)], pa.date32()), [DAY], "s"),
    (pa.array([date(2021, 4, 3)], pa.date64()), [DAY], "s"),
    (pa.array(["2021-04-03", "2021-04-03 10:20:30", None]), [DAY, SECONDS, None], "s"),
    (pa.array(["2021-04-03T12:20:30+02:00", "2021-04-03T10:20:30Z"]), [SECONDS] * 2, "s"),
    (pa.array(["2021-04-03T10:20:30.250Z"]), [SECONDS * 1000 + 250], "ms"),
    (
        pa.array(["2021-04-03 10:20:30 UTC", "2021-04-03t10:20:30z", "2021/04/03"]),
        [SECONDS, SECONDS, DAY],
        "s",
    ),
    (pa.array(["2021-04-03T10:20:30.000000001Z"]), [SECONDS * 10**9 + 1], "ns"),
    (pa.array(["2021-04-03", "2021-02-30", "now", "", "03.04.2021"]), [DAY, *[None] * 4], "s"),
    (pa.array(["2021-04-03", "x"]).dictionary_encode(), [DAY, None], "s"),
    (column_of(["2021-04-03", 5, None]), [DAY, None, None], "s"),
    (pa.array([str(SECONDS), f"{SECONDS}.0"]), [SECONDS] * 2, "s"),
    (pa.array([SECONDS + 0.5]), [SECONDS * 1000 + 500], "ms"),
    (pa.array([float(SECONDS), None]), [SECONDS, None], "s"),
    (pa.array([2**53 + 1, 2**64 - 1], pa.uint64()), [2**53, None], "s"),
    (pa.array([True]), [None], "s"),
    (pa.array([[1]]), [None], "s"),
]


@pytest.mark.parametrize(("column", "expected", "unit"), COLUMNS)
def test_times_are_instants_in_full(column: pa.Array, expected: list[int | None], unit: str) -> None:
    found, kept = in_one_unit([read_times(column)], "s")
    assert (found[0].to_pylist(), kept) == (expected, unit)


def test_int96_of_parquet_is_a_time(tmp_path) -> None:  # type: ignore[no-untyped-def]
    pq.write_table(pa.table({"t": [MOMENT]}), tmp_path / "x.parquet", use_deprecated_int96_timestamps=True)
    column = pq.read_table(tmp_path / "x.parquet")["t"].combine_chunks()
    assert in_one_unit([read_times(column)], "s")[0][0].to_pylist() == [SECONDS]


def test_parts_share_the_coarsest_unit_that_keeps_them() -> None:
    parts = [pa.array([1_500]), pa.array([2], pa.timestamp("s"))]
    found, kept = in_one_unit(parts, "ms")
    assert ([part.to_pylist() for part in found], kept) == ([[1_500], [2_000]], "ms")
    assert unit_of(pa.field("t", pa.int64(), metadata={"unit": kept})) == "ms"
    assert unit_of(pa.field("t", pa.int64())) == "s"
    with pytest.raises(CatalogError, match="too far"):
        in_one_unit([pa.array([10**12], pa.timestamp("s")), pa.array([1], pa.timestamp("ns"))], "s")


@pytest.mark.parametrize("power", [0, 3, 6, 9])
def test_the_unit_of_most_numbers_is_the_columns(power: int) -> None:
    tally = TimeTally()
    tally.add(pa.array([SECONDS * 10**power, SECONDS * 10**power + 1, 0]))
    assert (tally.unit, tally.misfits) == (("s", "ms", "us", "ns")[power // 3], False)
    tally.add(pa.array([SECONDS * 10 ** (6 if power == 3 else 3)]))
    assert (tally.unit, tally.misfits) == (("s", "ms", "us", "ns")[power // 3], True)


def test_a_format_of_nothing_is_an_error_of_the_config() -> None:
    with pytest.raises(ConfigError, match="time_format"):
        read_times(pa.array(["1"]), "%Q")
