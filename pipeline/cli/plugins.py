"""The option `--plugin` of commands that read no config; one that reads a config finds its `plugins:`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from alignrec.core.plugins import load_plugins


def _load(files: list[Path] | None) -> list[Path] | None:
    load_plugins(files or ())
    return files


Plugins = Annotated[
    list[Path] | None,
    typer.Option(
        "--plugin",
        help="A Python file that adds formats, sources or extractors; may be given again.",
        metavar="FILE",
        callback=_load,
        is_eager=True,
    ),
]
