"""The command line."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup, TyperOption

from alignrec.aligner.torchrun import are_several
from alignrec.core.errors import AlignRecError, AlignRecWarning
from alignrec.pipeline.cli import convert as cli_convert
from alignrec.pipeline.cli import data as cli_data
from alignrec.pipeline.cli import diff as cli_diff
from alignrec.pipeline.cli import encode as cli_encode
from alignrec.pipeline.cli import estimate as cli_estimate
from alignrec.pipeline.cli import hub as cli_hub
from alignrec.pipeline.cli import report as cli_report
from alignrec.pipeline.cli import stages as cli_stages
from alignrec.pipeline.cli import versions as cli_versions
from alignrec.pipeline.cli.output import say
from alignrec.pipeline.cli.stages import DEFAULT_CONFIG, ConfigFile, Overrides, Quiet
from alignrec.pipeline.cli.system_errors import describe


class _Commands(TyperGroup):
    """Its help leaves out what prints completion without installing it, and itself, to fit a screen."""

    def get_params(self, ctx: Any) -> list[Any]:
        """The options of the command itself."""
        params = super().get_params(ctx)
        for option in params:
            if isinstance(option, TyperOption) and option.name in ("show_completion", "help"):
                option.hidden = True
        return params


app = typer.Typer(
    name="alignrec",
    rich_markup_mode="markdown",  # wraps a paragraph to the terminal, whatever its lines are in the source
    cls=_Commands,
    help="Aligned multimodal features for recommendation: from a raw catalogue to a published release.",
    epilog="Start with `alignrec demo`; or, in your data's folder, with `alignrec init` and `alignrec run`. "
    "Exit codes: 0 done, 2 usage, config, data or disk, 3 refused, 4 network or Hub, 130 interrupted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

INTERRUPTED = 128 + 2  # as shells say of a process that SIGINT ended


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        say(f"alignrec {version('alignrec')}")
        raise typer.Exit


@app.callback()
def _options(
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
    version: Annotated[  # noqa: ARG001 (answered as it is read)
        bool,
        typer.Option("--version", help="Say which version this is.", callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    if debug:
        os.environ["ALIGNREC_DEBUG"] = "1"


cli_stages.register(app)  # the first of the help
cli_estimate.register(app)


@app.command()
def tune(
    config: ConfigFile = DEFAULT_CONFIG,
    trials: Annotated[int, typer.Option(min=1, help="How many settings are tried in all.")] = 20,
    overrides: Overrides = None,
    quiet: Quiet = False,
) -> None:
    """Search for better settings of training, by validation.

    More seeds decide among the three best.

    Prints a train section to paste; every trial is on record in the run folder's tune/.
    """
    import yaml

    from alignrec.pipeline.commands.tune import train_section
    from alignrec.pipeline.commands.tune import tune as search
    from alignrec.pipeline.config.file import load_config
    from alignrec.pipeline.runner.console import Console

    log = search(load_config(config, overrides or ()), trials, Console(quiet))
    typer.echo(yaml.safe_dump({"train": train_section(log.winner.settings)}, sort_keys=False), nl=False)


@app.command()
def status(
    config: ConfigFile = DEFAULT_CONFIG,
    overrides: Overrides = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Compare every hash, not sizes and times.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON.")] = False,
) -> None:
    """Say what is done, stale, partial or still to do, and why.

    Nothing is written or fetched: what depends on a model that is not here yet is unknown, or to do.
    """
    from rich.console import Console as Rich
    from rich.table import Table

    from alignrec.pipeline.config.file import load_config
    from alignrec.pipeline.runner.console import cell
    from alignrec.pipeline.stages.chain import status as states_of

    states = states_of(load_config(config, overrides or ()), verify=verify)
    if as_json:
        typer.echo(json.dumps([asdict(state) for state in states]))
        return
    table = Table("stage", "state", "why")
    for state in states:
        table.add_row(*map(cell, (state.stage, state.state, state.why)))
    Rich().print(table)


@app.command()
def demo(
    out: Annotated[Path, typer.Option(help="Where the catalogue and its run go.")] = Path("demo"),
    seed: Annotated[int, typer.Option(min=0, help="Another seed makes another catalogue.")] = 1,
    sound: Annotated[bool, typer.Option("--sound", help="Give products a sound too.")] = False,
    quiet: Quiet = False,
) -> None:
    """Run the whole pipeline on a small catalogue that it draws.

    Needs no data, network, account or GPU. Ends with a report for the browser and what to type next.
    With --sound, products are heard as well as seen and read; needs the extra alignrec[audio].
    """
    from alignrec.pipeline.demo.run import run_demo
    from alignrec.pipeline.runner.console import Console

    for line in run_demo(out, seed, Console(quiet), sound=sound):
        say(line)


cli_data.register(app)
cli_hub.register(app)
cli_versions.register(app)
cli_convert.register(app)
cli_diff.register(app)
cli_encode.register(app)
cli_report.register(app)


def main() -> None:
    """The console script `alignrec`."""
    _guard(app)


def push_features() -> None:
    """The console script `push-features`."""
    _guard(cli_hub.push_features_app)


def _guard(command: Callable[[], Any]) -> None:
    """Turn the errors that a user can act on into one message and an exit code, and warnings into a line."""
    warnings.showwarning = _shown_by(warnings.showwarning)
    try:
        command()
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer's answer to Ctrl-C, which it gives without a word
            typer.echo(
                "interrupted: what is finished is kept, and the same command goes on from there", err=True
            )
        raise
    except (AlignRecError, OSError) as error:
        if os.environ.get("ALIGNREC_DEBUG"):
            raise
        if isinstance(error, AlignRecError):
            message, code = str(error), error.exit_code
        else:
            message, code = describe(error)
        say(f"error{_which_process()}: {message}", err=True)
        sys.exit(code)


def _which_process() -> str:
    return f" of process {os.environ['RANK']}" if are_several() else ""


def _shown_by(others: Callable[..., None]) -> Callable[..., None]:
    """Shows a warning of ours as a line without its place in the code; `others` shows the rest."""

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        if issubclass(category, AlignRecWarning):
            say(f"warning: {message}", err=True)
        else:
            others(message, category, *place, **more)

    return show


if __name__ == "__main__":
    main()
