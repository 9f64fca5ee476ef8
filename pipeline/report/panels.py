"""The evaluation and the training, cut into the charts and tables of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from alignrec.core.metrics import MAIN_METRICS, metric_label
from alignrec.core.protocols import find_protocol
from alignrec.core.results import Estimate, Results
from alignrec.core.vocabulary import is_own
from alignrec.pipeline.report.charts import IntervalChart, LineChart, Value, interval_chart, line_chart
from alignrec.pipeline.runner.curves import Curve


@dataclass(frozen=True)
class Panel:
    """One protocol's part of the page.

    Attributes:
        values: charts of what each subject reached.
        differences: charts of paired differences between our set and others.
        lines: charts over the share, masked or kept.
        table: all of its estimates.
    """

    title: str
    question: str
    values: list[IntervalChart]
    differences: list[IntervalChart]
    lines: list[LineChart]
    table: list[Estimate]


def panels(results: Results, over: str = "") -> list[Panel]:
    """A panel for each protocol that was measured, the weightiest first.

    Args:
        results: the evaluation's.
        over: what its numbers are taken over, for the titles.
    """
    found = [_panel(name, results.select(protocol=name)) for name in results.protocols]
    return [replace(panel, title=panel.title + over) for panel in found]


def _panel(name: str, measured: Results) -> Panel:
    test = measured.select(split="test") if measured.select(split="test").records else measured
    own = test.own_subject(name)
    values: list[IntervalChart] = []
    differences: list[IntervalChart] = []
    lines: list[LineChart] = []
    for metric in MAIN_METRICS:
        drawn = test.select(metric=metric)
        drawn = drawn.select(k=drawn.largest_k)
        plain = drawn.select(against=None).estimates
        if any(estimate.share is not None for estimate in plain):
            lines.append(_over_share(plain))
        elif plain:
            values.append(_ranked(plain))
        paired = drawn.select(subject=own, share=None).where(lambda record: record.against is not None)
        if paired.estimates and metric == MAIN_METRICS[0]:
            differences.append(_paired(paired.estimates))
    protocol = find_protocol(name)
    table = sorted(
        measured.estimates, key=lambda e: (e.split, e.against or "", e.subject, e.metric, e.k, e.share or 0)
    )
    return Panel(protocol.title, protocol.question, values, differences, lines, table)


def _measure(estimate: Estimate) -> str:
    return f"{metric_label(estimate.metric)}@{estimate.k}"


def _ranked(estimates: Sequence[Estimate]) -> IntervalChart:
    best_first = sorted(estimates, key=lambda e: (-e.value, e.subject))
    rows = [Value(e.subject, is_own(e.subject), e.value, e.low, e.high) for e in best_first]
    return interval_chart(f"{_measure(best_first[0])} on {best_first[0].split}", rows)


def _paired(estimates: Sequence[Estimate]) -> IntervalChart:
    smallest_first = sorted(estimates, key=lambda e: (e.value, e.against or ""))
    rows = [Value(f"over {e.against}", True, e.value, e.low, e.high) for e in smallest_first]
    title = f"Gain of {smallest_first[0].subject} in {_measure(smallest_first[0])}"
    return interval_chart(title, rows, signed=True)


def _over_share(estimates: Sequence[Estimate]) -> LineChart:
    subjects = sorted({e.subject for e in estimates}, key=lambda name: (not is_own(name), name))
    lines = [
        (name, style, sorted((e.share or 0.0, e.value) for e in estimates if e.subject == name))
        for style, name in enumerate(subjects)
    ]
    share = f"share {find_protocol(estimates[0].protocol).share}".rstrip()
    return line_chart(f"{_measure(estimates[0])} on {estimates[0].split}", share, lines)


@dataclass(frozen=True)
class Training:
    """The curves of one stage."""

    title: str
    charts: list[LineChart]


STAGES = {
    "finetune": "Fine-tuning: pixels and word pieces",
    "pretrain": "Pretraining: what goes together",
    "train": "Training: users with items",
}


def training(curves: Sequence[Curve]) -> list[Training]:
    """The curves of each stage, a chart for each quantity."""
    stages = []
    for stage, title in STAGES.items():
        own = [curve for curve in curves if curve.stage == stage]
        several_seeds = len({curve.seed for curve in own}) > 1
        charts = []
        for metric in dict.fromkeys(curve.metric for curve in own):
            lines = [curve for curve in own if curve.metric == metric]
            chart = line_chart(
                metric,
                "epoch",
                [(_label(c, several_seeds), style, c.points) for style, c in enumerate(lines)],
            )
            charts += [chart] if chart.lines else []
        if charts:
            stages.append(Training(title, charts))
    return stages


def _label(curve: Curve, with_seed: bool) -> str:
    seed = f"seed {curve.seed}" if with_seed else None
    return ", ".join(part for part in (curve.split, seed) if part) or curve.metric
