"""The command that says beforehand what a run takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from alignrec.pipeline.cli.output import say
from alignrec.pipeline.cli.stages import DEFAULT_CONFIG, ConfigFile, Overrides, Quiet

if TYPE_CHECKING:
    from alignrec.pipeline.commands.estimate import Estimate
    from alignrec.pipeline.runner.cost import Cost

# Seconds of each unit of time, and from how many of them on it is used.
_TIMES = ((3600, 1.5, "h"), (60, 1.5, "min"), (1, 0, "s"))
_SIZES = ((2**30, 1, "GiB"), (2**20, 1, "MiB"), (2**10, 0, "KiB"))
# Ends of a range that differ by less are one number.
_ALIKE = 1.15


def estimate(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = None,
    quiet: Quiet = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON: seconds and bytes.")] = False,
) -> None:
    """Say what a run takes: time, memory and disk of each stage.

    Measured here, in minutes, by a rehearsal: a sample of the catalogue is embedded and each training has a
    few epochs, in a temporary folder. What is done takes no time; the run folder stays as it is.
    """
    from rich.console import Console as Rich
    from rich.table import Table

    from alignrec.pipeline.commands.estimate import estimate as rehearse
    from alignrec.pipeline.commands.estimate import total
    from alignrec.pipeline.config.file import load_config
    from alignrec.pipeline.runner.console import Console, cell

    found = rehearse(load_config(config, overrides or ()), Console(quiet))
    if as_json:
        say(json.dumps([one.record() for one in found]))
        return
    table = Table("stage", "time", "peak memory", "disk")
    for one in found:
        table.add_row(*map(cell, (one.stage, *_words(one))))
    table.add_section()
    more = "" if all(one.cost for one in found) else "more than "
    table.add_row("all", *(more + word for word in _cost_words(total(found))))
    Rich().print(table)


def _words(one: Estimate) -> Sequence[str]:
    if one.done:
        return ("done", "", "")
    return ("not known", "", "") if one.cost is None else _cost_words(one.cost)


def _cost_words(cost: Cost) -> Sequence[str]:
    return span(*cost.seconds), _rounded(cost.memory, _SIZES), _rounded(cost.disk, _SIZES)


def span(low: float, high: float) -> str:
    """A range of seconds as a person says it: `40 s`, `2.5 to 4 min`."""
    if high <= low * _ALIKE:
        return _rounded((low + high) / 2, _TIMES)
    first, second = _rounded(low, _TIMES), _rounded(high, _TIMES)
    number, unit = first.split()
    return f"{number if second.endswith(f' {unit}') else first} to {second}"


def _rounded(value: float, units: Sequence[tuple[int, float, str]]) -> str:
    """Two digits of a value, in the largest unit that it has enough of."""
    size, _, unit = next(one for one in units if value >= one[0] * one[1])
    number = value / size
    return f"{number:.1f} {unit}" if number < 10 else f"{float(f'{number:.2g}'):,.0f} {unit}"


def register(app: typer.Typer) -> None:
    """Add the command to the main command."""
    app.command()(estimate)
