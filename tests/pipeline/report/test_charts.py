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


def test_lines_leave_out_what_is_not_finite_and_are_thinned() -> None:
    points = [(float(n), float(n)) for n in range(5000)] + [(5000.0, float("nan"))]
    chart = line_chart("loss", "epoch", [("train", 0, points), ("nothing", 1, [(1.0, float("inf"))])])
    (line,) = chart.lines
    assert len(line.points.split()) < 500
    assert line.last == "4999"
    assert line.points.endswith(" 100,5.36")
