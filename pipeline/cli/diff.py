"""The command that compares two releases."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from alignrec.pipeline.cli.output import say
from alignrec.pipeline.cli.plugins import Plugins

if TYPE_CHECKING:
    from alignrec.export.release.diff import ReleaseDiff, SetDiff
    from alignrec.export.release.opened import Release

Reference = Annotated[str, typer.Argument(help="A release folder, OWNER/NAME or OWNER/NAME@X.Y.Z.")]


def diff(
    first: Reference,
    second: Reference,
    plugins: Plugins = None,  # noqa: ARG001 (loaded as the option is read)
    everything: Annotated[
        bool, typer.Option("--all", help="Show every set and every number, changed or not.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the whole answer as JSON.")] = False,
) -> None:
    """Say what changed from one release to another.

    A headline; below it the sets that differ (items, vectors, neighbours), and those of the main numbers on
    test that do, largest change first.
    """
    from alignrec.export.release.diff import diff_releases

    found = diff_releases(open_reference(first), open_reference(second))
    if as_json:
        say(json.dumps(found.to_json()))
    else:
        _print(found, everything)


def open_reference(reference: str) -> Release:
    """The release that FOLDER, OWNER/NAME or OWNER/NAME@X.Y.Z names."""
    from alignrec.export.hub.versions import split_reference
    from alignrec.export.load import open_release

    return open_release(*((reference, None) if Path(reference).is_dir() else split_reference(reference)))


def _print(found: ReleaseDiff, everything: bool) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console = Console()
    say(f"A  {found.first}\nB  {found.second}")
    for sentence in found.headline:
        say(sentence)
    sets = [one for one in found.sets if everything or one.differs]
    if sets:
        table = Table(
            "set", "dim", "added", "removed", "changed", "same", "cosine", "5% under", "near", box=SIMPLE
        )
        for one in sets:
            table.add_row(*_row(one))
        console.print(table)
        console.print("cosine: of an item's two vectors; near: share of its ten nearest that are the same")
    metrics = found.metrics if everything else _main(found.changed_metrics)
    if metrics:
        console.print(_metrics_table(metrics))
    left = len(found.changed_metrics) - len(metrics)
    if left and not everything:
        say(f"{left:,} other numbers differ: --all shows them")


def _main(metrics: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The main metric on test, at the longest list; not the differences between subjects."""
    from alignrec.core.metrics import MAIN_METRICS

    wanted = (MAIN_METRICS[0], "test", None)
    found = [one for one in metrics if (one["metric"], one["split"], one["against"]) == wanted]
    longest = max((one["k"] or 0 for one in found), default=0)
    return [one for one in found if (one["k"] or 0) == longest]


def _row(one: SetDiff) -> list[str]:
    dims = str(one.dims[0]) if one.dims[0] == one.dims[1] else f"{one.dims[0]} → {one.dims[1]}"
    counts = [f"{n:,}" for n in (len(one.added), len(one.removed), len(one.changed), one.same)]
    cosine = [f"{one.cosine[name]:.4f}" for name in ("mean", "quantile_05")] if one.cosine else ["–", "–"]
    return [one.name, dims, *counts, *cosine, "–" if one.neighbours is None else f"{one.neighbours:.0%}"]


def _metrics_table(metrics: Sequence[dict[str, Any]]) -> object:
    from rich.box import SIMPLE
    from rich.table import Table

    from alignrec.pipeline.runner.console import cell

    table = Table("protocol", "subject", "metric", "split", "A", "B", "B - A", box=SIMPLE)
    for record in metrics:
        a, b = record["first"], record["second"]
        metric = f"{record['metric']}@{record['k']}" if record["k"] else str(record["metric"])
        subject = (
            f"{record['subject']} - {record['against']}" if record["against"] else str(record["subject"])
        )
        values = ["–" if value is None else f"{value:.4f}" for value in (a, b)]
        change = "–" if a is None or b is None else f"{b - a:+.4f}"
        names = map(cell, (record["protocol"], subject, metric, record["split"]))
        table.add_row(*names, *values, change)
    return table


def register(app: typer.Typer) -> None:
    """Add this command to the main command."""
    app.command()(diff)
