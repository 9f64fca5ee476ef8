"""The evaluation and the training, cut into the charts and tables of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from alignrec.core.vocabulary import MAIN_METRICS, by_weight, find_protocol, metric_label
from alignrec.pipeline.report.charts import IntervalChart, LineChart, Value, interval_chart, line_chart
from alignrec.pipeline.report.curves import Curve
from alignrec.pipeline.report.metrics import Estimate, is_ours, own_subject


@dataclass(frozen=True)
class Panel:
    """One protocol's part of the page.

    Attributes:
        values: charts of what each subject reached.
        differences: charts of paired differences between our set and others.
        lines: charts over the masked share.
        table: all of its estimates.
    """

    title: str
    question: str
    values: list[IntervalChart]
    differences: list[IntervalChart]
    lines: list[LineChart]
    table: list[Estimate]


def panels(found: Sequence[Estimate]) -> list[Panel]:
    """A panel for each protocol that was measured, the known ones first."""
    names = by_weight(e.protocol for e in found)
    return [_panel(name, [e for e in found if e.protocol == name]) for name in names]


def _panel(name: str, found: Sequence[Estimate]) -> Panel:
    test = [e for e in found if e.split == "test"] or list(found)
    charts: tuple[list[IntervalChart], list[IntervalChart], list[LineChart]] = ([], [], [])
    for metric in MAIN_METRICS:
        of = [e for e in test if e.metric == metric]
        of = [e for e in of if e.k == max(e.k for e in of)]
        plain = [e for e in of if e.against is None]
        if any(e.share is not None for e in plain):
            charts[2].append(_over_share(plain))
        elif plain:
            charts[0].append(_ranked(plain))
        own = own_subject(test, name)
        paired = [e for e in of if e.against is not None and e.subject == own and e.share is None]
        if paired and metric == MAIN_METRICS[0]:
            charts[1].append(_paired(paired))
    words = find_protocol(name)
    table = sorted(found, key=lambda e: (e.split, e.against or "", e.subject, e.metric, e.k, e.share or 0))
    return Panel(words.title, words.question, *charts, table)


def _measure(e: Estimate) -> str:
    return f"{metric_label(e.metric)}@{e.k}"


def _ranked(found: Sequence[Estimate]) -> IntervalChart:
    best_first = sorted(found, key=lambda e: (-e.value, e.subject))
    rows = [Value(e.subject, is_ours(e.subject), e.value, e.low, e.high) for e in best_first]
    return interval_chart(f"{_measure(found[0])} on {found[0].split}", rows)


def _paired(found: Sequence[Estimate]) -> IntervalChart:
    smallest_first = sorted(found, key=lambda e: (e.value, e.against or ""))
    rows = [Value(f"over {e.against}", True, e.value, e.low, e.high) for e in smallest_first]
    return interval_chart(f"Gain of {found[0].subject} in {_measure(found[0])}", rows, signed=True)


def _over_share(found: Sequence[Estimate]) -> LineChart:
    subjects = sorted({e.subject for e in found}, key=lambda name: (not is_ours(name), name))
    lines = [
        (name, style, sorted((e.share or 0.0, e.value) for e in found if e.subject == name))
        for style, name in enumerate(subjects)
    ]
    return line_chart(f"{_measure(found[0])} on {found[0].split}", "share masked", lines)


@dataclass(frozen=True)
class Training:
    """The curves of one stage."""

    title: str
    charts: list[LineChart]


STAGES = {"pretrain": "Pretraining: images with texts", "train": "Training: users with items"}


def training(curves: Sequence[Curve]) -> list[Training]:
    """The curves of each stage, a chart for each quantity."""
    out = []
    for stage, title in STAGES.items():
        of = [curve for curve in curves if curve.stage == stage]
        several = len({curve.seed for curve in of}) > 1
        charts = [
            line_chart(
                metric,
                "epoch",
                [
                    (_label(c, several), n, c.points)
                    for n, c in enumerate(c for c in of if c.metric == metric)
                ],
            )
            for metric in dict.fromkeys(curve.metric for curve in of)
        ]
        if charts := [chart for chart in charts if chart.lines]:
            out.append(Training(title, charts))
    return out


def _label(curve: Curve, with_seed: bool) -> str:
    seed = f"seed {curve.seed}" if with_seed else None
    return ", ".join(part for part in (curve.split, seed) if part) or curve.metric
