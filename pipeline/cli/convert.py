"""The command that writes a release in another tool's format."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperOption

from alignrec.pipeline.cli.diff import open_reference
from alignrec.pipeline.cli.output import say
from alignrec.pipeline.cli.plugins import Plugins


class ConvertCommand(TyperCommand):
    """Its help lists the formats, which are looked up only then: importing them takes a moment."""

    def format_help(self, *arguments: Any, **named: Any) -> None:
        """Name the formats and what each writes."""
        from alignrec.export.formats.convert import FORMATS

        listed = [f"{form.name}: {form.description}" for form in FORMATS.values()]
        for option in self.params:
            if isinstance(option, TyperOption) and option.name == "form":
                option.help = "  \n".join(["The other tool's format.", *listed])
        super().format_help(*arguments, **named)


def convert(
    form: Annotated[str, typer.Option("--format", help="The other tool's format.")],
    to: Annotated[Path, typer.Option(help="The folder to make.")],
    source: Annotated[
        str | None,
        typer.Argument(
            help="A run's folder, whose interactions go along, or a release as `diff` takes one; "
            "default: the run of --config, or of alignrec.yaml.",
            show_default=False,
        ),
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="A set to write; may be given again.", metavar="NAME")
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", "-c", help="Add the interactions of this config's run, as split."),
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("-o", help="Override a setting: -o out=elsewhere.", metavar="K=V")
    ] = None,
    plugins: Plugins = None,  # noqa: ARG001 (loaded as the option is read)
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """Write features, and a run's split, as another tool reads them."""
    if overrides and config is None and source is not None:
        raise typer.BadParameter("-o goes with --config")
    if source is None:
        source = _run_of(config or Path("alignrec.yaml"), overrides or ())
    answer = converted(source, form, to, sets or (), config, overrides or ())
    line = answer.pop("line")
    say(json.dumps(answer) if as_json else line)


def converted(
    source: str, form: str, to: Path, sets: Sequence[str], config: Path | None, overrides: Sequence[str]
) -> dict[str, object]:
    """Write a release in another tool's format; what was written, and the same in a `line`.

    Args:
        source: a run's folder, or a release as `open_reference` takes one.
        form: name of the format.
        to: the folder to make.
        sets: to write; by default those that the format holds.
        config: whose run's interactions go along, in place of those of a run's folder.
        overrides: of the config.
    """
    from alignrec.export.formats.convert import convert as write
    from alignrec.pipeline.commands.split_interactions import released_run, split_interactions
    from alignrec.pipeline.config.file import load_config

    run = released_run(Path(source))
    release = open_reference(source if run is None else str(run[0]))
    interactions = run[1] if run is not None and config is None else None
    if config is not None:
        interactions = split_interactions(load_config(config, overrides))
    written = write(release, form, to, sets, interactions)
    return {
        "release": release.where,
        "format": form,
        "sets": written,
        "folder": str(to),
        "interactions": 0 if interactions is None else len(interactions.users),
        "line": f"{', '.join(written)} of {release.where} is in {to}, as {form} reads it"
        + ("" if interactions is None else f", with {len(interactions.users):,} interactions"),
    }


def _run_of(config: Path, overrides: Sequence[str]) -> str:
    """The folder of a config's run, which has been exported."""
    from alignrec.export.release.manifest import MANIFEST
    from alignrec.pipeline.config.file import load_config
    from alignrec.pipeline.errors import CatalogError
    from alignrec.pipeline.stages.export import STAGE

    folder = load_config(config, overrides).run_folder
    if not (folder / STAGE.result / MANIFEST).is_file():
        raise CatalogError(f"{folder} holds no release yet. Run `alignrec run -c {config}` first.")
    return str(folder)


def register(app: typer.Typer) -> None:
    """Add this command to the main command."""
    app.command(cls=ConvertCommand)(convert)
