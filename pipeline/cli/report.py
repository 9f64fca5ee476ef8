"""The commands that tell a person something: the report, and how this machine is set up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from alignrec.pipeline.cli.output import say


def report(
    config: Annotated[Path, typer.Option("--config", "-c", help="The config file.")] = Path("alignrec.yaml"),
    overrides: Annotated[
        list[str] | None, typer.Option("--set", "-o", help="Override a setting.", metavar="K=V")
    ] = None,
) -> None:
    """Write the run's report.html: what was made, and if it helped."""
    from alignrec.pipeline.config.file import load_config
    from alignrec.pipeline.stages.chain import write_page

    say(write_page(load_config(config, overrides or ())))


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False) -> None:
    """Say what this machine has, lacks, and what will be slow here."""
    from rich.console import Console as Rich
    from rich.table import Table

    from alignrec.pipeline.commands.doctor import examine

    findings = examine()
    if as_json:
        say(json.dumps([finding._asdict() for finding in findings]))
        return
    table = Table(show_header=False, box=None, pad_edge=False)
    marks = {"ok": "[green]ok[/]", "note": "[yellow]note[/]", "missing": "[red]missing[/]"}
    for finding in findings:
        table.add_row(marks[finding.state], finding.what, finding.here)
        if finding.note:
            table.add_row("", "", finding.note, style="dim")
    Rich().print(table)


def register(app: typer.Typer) -> None:
    """Add these commands to the main command."""
    for command in (report, doctor):
        app.command()(command)
