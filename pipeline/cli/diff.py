"""The command that compares two releases."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Compare two releases: items, vectors, neighbours and metrics."""
    from alignrec.export.release.diff import diff_releases

    found = diff_releases(open_reference(first), open_reference(second))
    if as_json:
        say(json.dumps(found.to_json()))
    else:
        _print(found)


def open_reference(reference: str) -> Release:
    """The release that FOLDER, OWNER/NAME or OWNER/NAME@X.Y.Z names."""
    from alignrec.export.hub.versions import split_reference
    from alignrec.export.load import open_release

    return open_release(*((reference, None) if Path(reference).is_dir() else split_reference(reference)))


def _print(found: ReleaseDiff) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table

    console = Console()
    say(f"A  {found.first}\nB  {found.second}")
    if found.equal:
        say("The same content, to the byte.")
        return
    for names, which in ((found.only_first, "A"), (found.only_second, "B")):
        if names:
            say(f"only {which} has the sets {', '.join(names)}")
    sets = Table(
        "set", "dim", "added", "removed", "changed", "same", "cosine", "5% under", "near", box=SIMPLE
    )
    for one in found.sets:
        sets.add_row(*_row(one))
    console.print(sets)
    console.print("cosine: of an item's two vectors; near: share of its ten nearest that are the same")
    if found.metrics:
        console.print(_metrics_table(found))


def _row(one: SetDiff) -> list[str]:
    dims = str(one.dims[0]) if one.dims[0] == one.dims[1] else f"{one.dims[0]} → {one.dims[1]}"
    counts = [f"{n:,}" for n in (len(one.added), len(one.removed), len(one.changed), one.same)]
    cosine = [f"{one.cosine[name]:.4f}" for name in ("mean", "quantile_05")] if one.cosine else ["–", "–"]
    return [one.name, dims, *counts, *cosine, "–" if one.neighbours is None else f"{one.neighbours:.0%}"]


def _metrics_table(found: ReleaseDiff) -> object:
    from rich.box import SIMPLE
    from rich.table import Table

    from alignrec.pipeline.runner.console import cell

    table = Table("protocol", "subject", "metric", "split", "A", "B", "B - A", box=SIMPLE)
    for record in found.metrics:
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
