"""The commands that run stages."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from alignrec.pipeline.cli.output import say

ConfigFile = Annotated[Path, typer.Option("--config", "-c", help="The config file.", show_default=True)]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", "-o", help="Override a setting: -o train.epochs=5 (repeatable).", metavar="K=V"),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing but errors.")]
AllInteractions = Annotated[
    bool,
    typer.Option(
        "--all-interactions",
        help="Release trained sets that learned from all interactions: to serve, not to measure.",
    ),
]
DEFAULT_CONFIG = Path("alignrec.yaml")


def run(
    config: ConfigFile = DEFAULT_CONFIG,
    until: Annotated[
        str,
        typer.Option(
            help="Stop after this stage: finetune, extract, split, pretrain, train, evaluate, retrain or "
            "export, or a plugin's.",
            metavar="STAGE",
        ),
    ] = "export",
    all_interactions: AllInteractions = False,
    overrides: Overrides = None,
    quiet: Quiet = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print one document at the end: stages, release, verdicts.")
    ] = False,
) -> None:
    """Run all stages, resuming what was begun, redoing what changed.

    The stages are finetune, extract, split, pretrain, train, evaluate, retrain, export and report; what the
    config does not need is left out. Results go into the config's `out` (default runs/NAME), with report.html
    for a browser and release/ to publish. Interrupted at any moment, the same command goes on.
    """
    _run(config, until, _retraining(all_interactions, overrides), quiet, as_json=as_json)


def extract(config: ConfigFile = DEFAULT_CONFIG, overrides: Overrides = None, quiet: Quiet = False) -> None:
    """Embed pictures, texts and sounds with frozen pretrained models."""
    _run(config, "extract", overrides, quiet)


def pretrain(config: ConfigFile = DEFAULT_CONFIG, overrides: Overrides = None, quiet: Quiet = False) -> None:
    """Learn the multimodal encoder: one vector of all content."""
    _run(config, "pretrain", overrides, quiet)


def train(config: ConfigFile = DEFAULT_CONFIG, overrides: Overrides = None, quiet: Quiet = False) -> None:
    """Refine the features by who interacted with what.

    Makes the sets aligned (the representation that recommends), content and user.
    """
    _run(config, "train", overrides, quiet)


def evaluate(
    config: ConfigFile = DEFAULT_CONFIG,
    full: Annotated[
        bool, typer.Option("--full", help="A full evaluation: every seed, landmark and ablation.")
    ] = False,
    splits: Annotated[
        int | None,
        typer.Option(
            "--splits", min=2, help="Draw so many random splits, train on each, and take them together."
        ),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option("--seeds", min=1, help="Train under the seeds 1 to this, in --full and on each split."),
    ] = None,
    rankings: Annotated[
        list[str] | None,
        typer.Option(
            "--rankings",
            help="A row for another system, from the top-k lists that it wrote on this run's split "
            "(repeatable); in place of the config's evaluate.rankings.",
            metavar="NAME=FILE",
        ),
    ] = None,
    overrides: Overrides = None,
    quiet: Quiet = False,
) -> None:
    """Measure what the features are worth, against simple baselines.

    Shows the numbers, and which set to use for what; all of them, with definitions and intervals, are in
    evaluate/metrics.json.
    """
    more = ["evaluate.full=true"] if full else []
    more += [f"evaluate.splits={splits}"] if splits else []
    more += [f"evaluate.seeds={list(range(1, seeds + 1))}"] if seeds else []
    more += [f"evaluate.rankings={json.dumps(_named_files(rankings))}"] if rankings else []
    _run(config, "evaluate", [*(overrides or ()), *more], quiet)


def _named_files(options: list[str]) -> dict[str, str]:
    """The files of `NAME=FILE`, as seen from where the command is called."""
    named = {}
    for option in options:
        name, equals, file = option.partition("=")
        if not (name and equals and file) or name in named:
            raise typer.BadParameter(
                f"{option!r}: expected NAME=FILE, each name once", param_hint="--rankings"
            )
        named[name] = str(Path(file).absolute())
    return named


def export(
    config: ConfigFile = DEFAULT_CONFIG,
    all_interactions: AllInteractions = False,
    overrides: Overrides = None,
    quiet: Quiet = False,
) -> None:
    """Write the release folder, after bringing what it needs up to date.

    `alignrec push` publishes it.
    """
    _run(config, "export", _retraining(all_interactions, overrides), quiet)


def _retraining(all_interactions: bool, overrides: list[str] | None) -> list[str]:
    return [*(overrides or ()), *(["export.all_interactions=true"] if all_interactions else [])]


def _run(
    config: Path, until: str, overrides: list[str] | None, quiet: bool, *, as_json: bool = False
) -> None:
    """Run, and answer with the release's folder or, in JSON, with all there is to say of the run."""
    from alignrec.aligner.torchrun import joined
    from alignrec.pipeline.commands.after_run import next_command, run_document
    from alignrec.pipeline.config.file import load_config
    from alignrec.pipeline.runner.console import Console
    from alignrec.pipeline.runner.run_folder import RunFolder
    from alignrec.pipeline.stages.chain import assist
    from alignrec.pipeline.stages.chain import run as run_stages
    from alignrec.pipeline.stages.evaluate.tables import show_run

    console = Console(quiet)
    loaded = load_config(config, overrides or ())
    with joined() as processes:
        if not processes.first:
            assist(loaded, processes)
            return
        result = run_stages(loaded, until, console=console, processes=processes)
    if "evaluate" in result.stages:
        show_run(RunFolder(result.folder), console, loaded.evaluate.published)
    following = next_command(loaded, config, overrides or (), result)
    console.note(f"next: {following}")
    if as_json:
        say(json.dumps(run_document(loaded, result, following)))
    elif result.release is not None:
        say(result.release)


def register(app: typer.Typer) -> None:
    """Add these commands to the main command."""
    for command in (run, extract, pretrain, train, evaluate, export):
        app.command()(command)
