"""Charts in percent of their width."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from alignrec.pipeline.report.charts import Value, interval_chart, line_chart

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False)


@given(st.lists(st.tuples(NUMBERS, st.floats(0, 1e3)), min_size=1, max_size=8), st.booleans())
def test_charts_keep_their_values_on_the_axis_and_in_order(
    values: list[tuple[float, float]], signed: bool
) -> None:
    rows = [Value("x", False, v, v - width, v + width) for v, width in values]
    chart = interval_chart("t", rows, signed=signed)
    for row in chart.rows:
        assert row.low is not None and row.high is not None
        assert 0 <= row.low <= row.at <= row.high <= 100
    assert all(0 <= tick.at <= 100 for tick in chart.ticks)
    assert len({tick.label for tick in chart.ticks}) == len(chart.ticks)
    order = [row.at for _, row in sorted(zip(values, chart.rows, strict=True), key=lambda pair: pair[0][0])]
    assert order == sorted(order)
    assert (chart.zero is not None) == signed


def test_a_value_far_off_squashes_no_other() -> None:
    close = [Value(f"over {n}", True, 0.01 * n, 0.01 * n - 0.005, 0.01 * n + 0.005) for n in (1, 2, 3)]
    far = [Value("over popularity", True, 0.4, 0.39, 0.41), Value("over random", True, 0.41)]
    chart = interval_chart("gain", [*close, *far], signed=True)
    alone = interval_chart("gain", close, signed=True)
    assert [row.beyond for row in chart.rows] == [0, 0, 0, 1, 1]
    assert [row.at for row in chart.rows[:3]] == [row.at for row in alone.rows]
    assert (chart.ticks, chart.rows[3].value, chart.rows[3].at) == (alone.ticks, "+0.4000", 100)
    below = interval_chart("gain", [*close, Value("over the best", True, -0.5)], signed=True)
    assert [row.beyond for row in below.rows] == [0, 0, 0, -1]
    assert [row.beyond for row in interval_chart("gain", [close[0], far[0]], signed=True).rows] == [0, 0]


def test_what_is_ours_is_on_the_axis() -> None:
    others = [Value(name, False, value) for name, value in (("a", 0.1), ("b", 0.11), ("c", 0.12))]
    chart = interval_chart("recall", [Value("aligned", True, 0.9), *others])
    assert [row.beyond for row in chart.rows] == [0, 0, 0, 0]
    chart = interval_chart("recall", [Value("aligned", True, 0.11), *others, Value("popularity", False, 0.9)])
    assert [row.beyond for row in chart.rows] == [0, 0, 0, 0, 1]


def test_lines_leave_out_what_is_not_finite_and_are_thinned() -> None:
    points = [(float(n), float(n)) for n in range(5000)] + [(5000.0, float("nan"))]
    chart = line_chart("loss", "epoch", [("train", 0, points), ("nothing", 1, [(1.0, float("inf"))])])
    (line,) = chart.lines
    assert len(line.points.split()) < 500
    assert line.last == "4999"
    assert line.points.endswith(" 100,5.36")
