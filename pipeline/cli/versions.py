"""The command that lists what is published."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from alignrec.pipeline.cli.output import say

if TYPE_CHECKING:
    from alignrec.export.hub.published_contents import PublishedContents


def versions(
    repo: Annotated[str, typer.Argument(help="The dataset repository, OWNER/NAME.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")] = False,
) -> None:
    """List the published versions of a repository, and what each holds."""
    from alignrec.export.hub.published_contents import published_contents

    found, withdrawn = published_contents(repo)
    if as_json:
        taken_back = {version: asdict(entry) for version, entry in withdrawn.items()}
        answer = {"repo": repo, "versions": [asdict(one) for one in found], "withdrawn": taken_back}
        say(json.dumps(answer))
        return
    for one in found:
        say(f"{one.version}  {_described(one)}")
    for version, entry in withdrawn.items():
        say(f"{version}  withdrawn on {entry.date}: {entry.reason}")
    if not found:
        say(f"{repo} has no published version; see `alignrec push`", err=True)


def _described(one: PublishedContents) -> str:
    if one.fault:
        return f"not to be trusted: {one.fault}"
    sets = [f"{name} {entry['rows']:,} × {entry['dim']}" for name, entry in (one.sets or {}).items()]
    parts = [f"release {(one.release_id or '')[:12]}", ", ".join(sets), f"licence {one.licence}"]
    if one.pictures:
        parts.append(f"{one.pictures:,} pictures")
    if one.equal_to:
        parts.append(f"the same content as {one.equal_to}")
    return "; ".join(parts)


def register(app: typer.Typer) -> None:
    """Add this command to the main command."""
    app.command()(versions)
