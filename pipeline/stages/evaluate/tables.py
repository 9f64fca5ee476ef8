"""The numbers of an evaluation as tables for a terminal."""

from __future__ import annotations

from collections.abc import Mapping

from rich import box
from rich.table import Table

from alignrec.core.metrics import MAIN_METRICS, metric_label
from alignrec.core.protocols import TOP_K, find_protocol
from alignrec.core.recommendation import recommendations
from alignrec.core.results import Estimate, Results
from alignrec.core.vocabulary import OWN_SETS
from alignrec.pipeline.runner.console import Console, cell
from alignrec.pipeline.runner.run_folder import RunFolder

PUBLISHED_K = 20  # what papers agree on


def show_run(
    run: RunFolder, console: Console, published: Mapping[str, tuple[float, float]] | None = None
) -> None:
    """A run's tables, behind them those over several splits, and below what the numbers recommend.

    Args:
        run: that was evaluated.
        console: shows them.
        published: see `published_table`.
    """
    results, pooled = run.results(), run.pooled_results()
    for table in results_tables(results) + results_tables(pooled, ", several splits together"):
        console.show(table)
    if beside := published_table(results, published or {}):
        console.show(beside)
    if pooled.splits:
        console.note(f"several splits together: {pooled.splits}")
    for recommendation in recommendations(results, pooled):
        console.note(str(recommendation))


def published_table(results: Results, published: Mapping[str, tuple[float, float]]) -> Table | None:
    """What others publish for a catalogue, and what the run reaches on test under top-k, best first.

    Args:
        results: of the run's split.
        published: Recall@20 and NDCG@20, by system.

    Returns:
        None where nothing is published, or nothing was measured at 20.
    """
    own = results.select(split="test", protocol=TOP_K, k=PUBLISHED_K).estimates
    values = {(e.subject, e.metric): e.value for e in own if e.against is None and e.share is None}
    rows = {
        subject: tuple(values.get((subject, name)) for name in MAIN_METRICS)
        for subject in dict.fromkeys(subject for subject, _ in values)
    }
    if not published or not rows:
        return None
    rows |= {f"{name}, as published": numbers for name, numbers in published.items()}
    table = _empty("top-k beside published numbers")
    for metric in MAIN_METRICS:
        table.add_column(f"{metric_label(metric)}@{PUBLISHED_K}", justify="right", no_wrap=True)
    for name, numbers in sorted(rows.items(), key=lambda row: -(row[1][0] or 0)):
        table.add_row(cell(name), *("" if value is None else f"{value:.4f}" for value in numbers))
    return table


def results_tables(results: Results, over: str = "") -> list[Table]:
    """The test numbers of an evaluation, a table a protocol and share; none where there are none.

    Args:
        results: the evaluation's.
        over: what its numbers are taken over, for the tables' titles.
    """
    test = results.select(split="test")
    # Nothing masked is zero-shot, and shown there.
    groups = dict.fromkeys((e.protocol, e.share) for e in test.estimates if e.share != 0)
    return [
        _table(test.select(protocol=protocol, share=share), _title(protocol, share) + over)
        for protocol, share in groups
    ]


def _title(protocol: str, share: float | None) -> str:
    return protocol if share is None else f"{protocol}, {share:.0%} {find_protocol(protocol).share}".rstrip()


def _table(results: Results, title: str) -> Table:
    """The main metrics at the largest k, best first, and how far each trained subject is above the others."""
    largest = results.largest_k
    estimates = results.select(k=largest).estimates
    values = {(e.subject, e.metric): e for e in estimates if e.against is None}
    gains = {
        (e.subject, e.against): _gain(e)
        for e in estimates
        if e.against is not None and e.metric == MAIN_METRICS[0] and e.subject in OWN_SETS
    }
    trained = list(dict.fromkeys(subject for subject, _ in gains))
    table = _empty(title)
    headings = [f"{metric_label(metric)}@{largest}" for metric in MAIN_METRICS]
    for heading in (*headings, *(cell(f"{name} over it") for name in trained)):
        table.add_column(heading, justify="right", no_wrap=True)
    subjects = dict.fromkeys(subject for subject, metric in values if metric == MAIN_METRICS[0])
    for subject in sorted(subjects, key=lambda name: -values[name, MAIN_METRICS[0]].value):
        numbers = (_number(values.get((subject, metric))) for metric in MAIN_METRICS)
        table.add_row(cell(subject), *numbers, *(gains.get((name, subject), "") for name in trained))
    return table


def _empty(title: str) -> Table:
    """A table with a column for the names of its rows, which give way to numbers where there is no room."""
    table = Table(
        title=cell(title), title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0)
    )
    table.add_column("")
    return table


def _number(estimate: Estimate | None) -> str:
    """A value, and where several seeds were trained how far a recall differs between them."""
    if estimate is None:
        return ""
    spread = estimate.deviation if estimate.metric == MAIN_METRICS[0] else None
    return f"{estimate.value:.3f}" if spread is None else f"{estimate.value:.3f} ± {spread:.3f}"


def _gain(estimate: Estimate) -> str:
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:+.3f}"
    return cell(f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]")
