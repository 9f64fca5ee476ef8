"""The pipeline: from a catalogue and a config to a release, stage by stage."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alignrec.pipeline.runner.runner import RunResult, run

__all__ = ["RunResult", "run"]


def __getattr__(name: str) -> Any:
    """Import the runner, and torch with it, when it is asked for: the command line starts quicker without."""
    if name in __all__:
        from alignrec.pipeline.runner import runner

        return getattr(runner, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
