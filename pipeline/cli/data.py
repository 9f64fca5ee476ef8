"""The commands that meet a user's own data first: a config for it, and its pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from alignrec.pipeline.cli.output import say


def init(
    folder: Annotated[Path, typer.Argument(help="The folder that holds the catalogue.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace a config that is there.")] = False,
    plugins: Annotated[
        list[Path] | None,
        typer.Option("--plugin", help="A Python file that adds sources or table formats.", metavar="FILE"),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            help="Write the paper's config instead: paper-baby, paper-sports or paper-electronics.",
            metavar="NAME",
        ),
    ] = None,
) -> None:
    """Look at a folder and write a commented alignrec.yaml that runs.

    It finds the items and interactions tables, the pictures' folder and the columns, tries them, and says
    what it found and what it passed over. Correct what it guessed wrong, then `alignrec run`.
    With --preset it writes the paper's settings for one of its catalogues, and says which files to get.
    """
    from alignrec.core.files import write_bytes
    from alignrec.core.names import name_like
    from alignrec.core.plugins import load_plugins
    from alignrec.pipeline.commands.config_template import render
    from alignrec.pipeline.commands.detect.catalogue import detect_catalogue
    from alignrec.pipeline.commands.detect.trial import try_draft
    from alignrec.pipeline.commands.presets import missing_files, render_preset
    from alignrec.pipeline.config.file import load_config
    from alignrec.pipeline.errors import ConfigError

    target = folder / "alignrec.yaml"
    if target.exists() and not force:
        raise ConfigError(f"{target} is there already: --force replaces it")
    if preset is not None:
        write_bytes(target, render_preset(preset).encode())
        for address in missing_files(preset, folder):
            say(f"To get: {address}", err=True)
        say(target)
        return
    load_plugins(plugins or ())
    trial = try_draft(detect_catalogue(folder), folder)
    name = name_like(folder.resolve().name) or "alignrec"
    write_bytes(target, render(name, trial.draft, [file.resolve() for file in plugins or ()]).encode())
    load_config(target)
    width = max(len(what) for what, _ in trial.found)
    lines = [f"{what:{width}}  {value}" for what, value in trial.found]
    lines += trial.draft.notes + [f"Before a run: {problem}." for problem in trial.problems]
    place = "" if folder == Path() else f" -c {target}"
    lines += [f"Next: alignrec {command}{place}" for command in trial.next_commands]
    for line in lines:
        say(line, err=True)
    say(target)


def download(
    config: Annotated[Path, typer.Option("--config", "-c", help="The config file.")] = Path("alignrec.yaml"),
    overrides: Annotated[
        list[str] | None, typer.Option("--set", "-o", help="Override a setting.", metavar="K=V")
    ] = None,
    timeout: Annotated[float, typer.Option(min=0.1, help="Seconds for one picture.")] = 30.0,
    max_megabytes: Annotated[float, typer.Option(min=0.001, help="The largest picture to take.")] = 20.0,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Also reach loopback and private addresses.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Answer in JSON, with every failure.")] = False,
) -> None:
    """Fetch the pictures and sounds that the items table names by URL.

    They go into catalog.items.image_root, where `alignrec run` finds them; what is there is kept.
    """
    from alignrec.pipeline.catalog.interactions import named_items
    from alignrec.pipeline.commands.download import download as fetch_all
    from alignrec.pipeline.commands.safe_http import Limits
    from alignrec.pipeline.config.file import load_config
    from alignrec.pipeline.runner.console import Console

    limits = replace(Limits(), seconds=timeout, bytes=int(max_megabytes * 2**20), allow_private=allow_private)
    catalog = load_config(config, overrides or ()).catalog
    only = named_items(catalog)
    done = fetch_all(catalog.items, Console(), limits, modalities=catalog.modalities, only=only)
    if as_json:
        answer = {"folder": str(done.folder), "fetched": done.fetched, "there": done.there}
        typer.echo(json.dumps(answer | {"failed": done.failed}))
        return
    say(f"{done.folder}: {done.fetched:,} files fetched, {done.there:,} were there")
    for reason, urls in done.commonest():
        say(f"  {len(urls):,} × {reason}, such as {urls[0]}: {done.failed[urls[0]]}", err=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the main command."""
    for command in (init, download):
        app.command()(command)
