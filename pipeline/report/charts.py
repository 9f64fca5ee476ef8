"""Charts as plain numbers in percent of their width and height: the template draws them.

Positions in percent let a chart take any width while its text keeps its size, and its values stay text: for
screen readers, for search, in the page's own colours. Pictures by matplotlib (as the card's chart is, where
only a picture can go) would scale their text with the page, be needed twice for light and dark, and of a
report with thirty charts take 2 MB and 7 seconds instead of 90 kB and none.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

TICKS = 4
MAX_POINTS = 400
# Values stay off an axis that is shorter without them than this share of what it is with them.
SQUASHED = 0.5


@dataclass(frozen=True)
class Tick:
    """A labelled place on an axis, in percent."""

    at: float
    label: str


@dataclass(frozen=True)
class Bar:
    """One row of an interval chart: a dot and, where there is one, its interval.

    Attributes:
        label: of the row.
        ours: whether it is drawn in the accent colour.
        at, low, high: in percent; `low` and `high` None without an interval.
        value, interval: as text.
        beyond: -1 or 1 where the value lies beyond the axis, to the left or the right.
    """

    label: str
    ours: bool
    at: float
    low: float | None
    high: float | None
    value: str
    interval: str
    beyond: int = 0


@dataclass(frozen=True)
class IntervalChart:
    """Rows of dots with intervals on one axis.

    Attributes:
        zero: where zero is, in percent, if it is on the axis.
    """

    title: str
    rows: list[Bar]
    ticks: list[Tick]
    zero: float | None


@dataclass(frozen=True)
class Line:
    """A line of a line chart.

    Attributes:
        label: of the line.
        style: number of its colour and dash.
        points: `x,y` pairs in percent as SVG wants them, y downwards.
        last: its last value, as text.
    """

    label: str
    style: int
    points: str
    last: str


@dataclass(frozen=True)
class LineChart:
    """Lines over one axis; `x` and `y` are the axes' ticks."""

    title: str
    lines: list[Line]
    x: list[Tick]
    y: list[Tick]
    across: str


@dataclass(frozen=True)
class Value:
    """A number to draw, with its interval."""

    label: str
    ours: bool
    value: float
    low: float | None = None
    high: float | None = None


def interval_chart(title: str, values: Sequence[Value], *, signed: bool = False) -> IntervalChart:
    """A chart of values on one axis, which leaves out those so far off that they would squash all others.

    Args:
        title: what is drawn.
        values: at least one, in the order of the rows.
        signed: whether they are differences: zero is then on the axis and signs are written.
    """
    fixed = [0.0] if signed else [end for v in values if v.ours for end in _ends(v)]
    axis = _Axis([*(end for v in _near(values, fixed) for end in _ends(v)), *fixed])
    form = "+.4f" if signed else ".4f"

    def row(v: Value) -> Bar:
        known = v.low is not None and v.high is not None
        beyond = -1 if v.value < axis.low else 1 if v.value > axis.high else 0
        return Bar(
            v.label,
            v.ours,
            axis.at(v.value),
            axis.place(v.low),
            axis.place(v.high),
            f"{v.value:{form}}",
            f"{v.low:{form}} to {v.high:{form}}" if known else "",
            beyond,
        )

    return IntervalChart(title, [row(v) for v in values], axis.ticks(), axis.at(0.0) if signed else None)


def _ends(v: Value) -> list[float]:
    return [end for end in (v.value, v.low, v.high) if end is not None]


def _near(values: Sequence[Value], fixed: Sequence[float]) -> list[Value]:
    """More than half of the values, two at least: those that others, far off, would squash.

    Args:
        values: in any order.
        fixed: numbers that are on the axis whatever else is.
    """
    kept = sorted(values, key=lambda v: v.value)
    least = max(2, len(kept) // 2 + 1)
    while True:
        span = SQUASHED * _span(kept, fixed)
        nearer = next((part for part in _shorter(kept, least) if _span(part, fixed) < span), None)
        if nearer is None:
            return kept
        kept = nearer


def _shorter(values: list[Value], least: int) -> Iterator[list[Value]]:
    """All runs of at least `least` values but the whole, the longest first."""
    for length in range(len(values) - 1, least - 1, -1):
        for start in range(len(values) - length + 1):
            yield values[start : start + length]


def _span(values: Sequence[Value], fixed: Sequence[float]) -> float:
    ends = [*(end for v in values for end in _ends(v)), *fixed]
    return max(ends) - min(ends)


def line_chart(
    title: str, across: str, lines: Sequence[tuple[str, int, Sequence[tuple[float, float]]]]
) -> LineChart:
    """A chart of lines.

    Args:
        title: what is drawn.
        across: what runs along the horizontal axis.
        lines: label, style and `(x, y)` points of each; values that are not finite are left out.
    """
    kept = [(label, style, _finite(points)) for label, style, points in lines]
    kept = [line for line in kept if line[2]]
    x = _Axis([p[0] for _, _, points in kept for p in points], padding=0.0)
    y = _Axis([p[1] for _, _, points in kept for p in points])
    drawn = [
        Line(
            label,
            style,
            " ".join(f"{x.at(a):g},{round(100 - y.at(b), 2):g}" for a, b in _thinned(points)),
            f"{points[-1][1]:.4g}",
        )
        for label, style, points in kept
    ]
    return LineChart(title, drawn, x.ticks(whole=across == "epoch"), y.ticks(), across)


def _finite(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    return [point for point in points if math.isfinite(point[0]) and math.isfinite(point[1])]


def _thinned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """At most about `MAX_POINTS` of them, evenly, the last included."""
    step = -(-len(points) // MAX_POINTS)
    return [*points[:-1:step], points[-1]]


class _Axis:
    """A range of numbers, laid over 0 to 100."""

    def __init__(self, numbers: Sequence[float], padding: float = 0.06) -> None:
        low, high = (min(numbers), max(numbers)) if numbers else (0.0, 1.0)
        size = max(abs(low), abs(high))
        # Numbers that differ by nothing to speak of get a range around them.
        span = high - low if high - low > 1e-9 * max(size, 1e-3) else max(size, 1e-3)
        self.low, self.high = low - padding * span, high + padding * span
        if self.high == self.low:
            self.high = self.low + span

    def at(self, number: float) -> float:
        return round(min(max(100 * (number - self.low) / (self.high - self.low), 0.0), 100.0), 2)

    def place(self, number: float | None) -> float | None:
        return None if number is None else self.at(number)

    def ticks(self, *, whole: bool = False) -> list[Tick]:
        """Round numbers, at most about `TICKS` of them."""
        rough = (self.high - self.low) / TICKS
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(m * power for m in (1, 2, 5, 10) if m * power >= rough)
        step = max(step, 1.0) if whole else step
        digits = max(0, -math.floor(math.log10(step)))
        first, last = math.ceil(self.low / step), math.floor(self.high / step)
        return [Tick(self.at(n * step), f"{n * step:.{digits}f}") for n in range(first, last + 1)]
