"""The commands that meet a user's own data first: a config for it, and its pictures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer


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
    """Fetch the pictures that the items table names by URL; what is there already is kept."""
    from .config_file import load_config
    from .console import Console
    from .download import download as fetch_all
    from .safe_http import Limits

    limits = replace(Limits(), seconds=timeout, bytes=int(max_megabytes * 2**20), allow_private=allow_private)
    done = fetch_all(load_config(config, overrides or ()).catalog.items, Console(), limits)
    if as_json:
        answer = {"folder": str(done.folder), "fetched": done.fetched, "there": done.there}
        typer.echo(json.dumps(answer | {"failed": done.failed}))
        return
    typer.echo(f"{done.folder}: {done.fetched:,} pictures fetched, {done.there:,} were there")
    for reason, count in done.reasons.most_common():
        example = next(iter(f"{url}: {why}" for url, why in done.failed.items()))
        typer.echo(f"  {count:,} × {reason}, such as {example}", err=True)


def register(app: typer.Typer) -> None:
    """Add these commands to the main command."""
    app.command()(download)
