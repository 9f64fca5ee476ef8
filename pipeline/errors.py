"""What can go wrong before a model is even loaded: the config, the catalogue, the run folder."""

import difflib
from pathlib import Path


class PipelineError(Exception):
    """A run cannot go on; the message says what to do next (exit code 2)."""

    exit_code = 2


class ConfigError(PipelineError):
    """The config cannot be read, or a key or value in it is wrong."""


class CatalogError(PipelineError):
    """The catalogue cannot be read, or too much of it had to be rejected."""


class RunFolderError(PipelineError):
    """The run folder is in use, too small, or not what a stage expects."""


def nearest_file(path: Path) -> str:
    """A sentence that names the file most like an absent one, in its folder; "" where none is like it."""
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    near = difflib.get_close_matches(path.name, names, n=1)
    return f" Did you mean {path.parent / near[0]}?" if near else ""
