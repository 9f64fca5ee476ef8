"""The pipeline: from a catalogue and a config to a release, stage by stage."""

from typing import TYPE_CHECKING

from alignrec.core.packages import public

if TYPE_CHECKING:
    from alignrec.pipeline.runner.runner import RunResult as RunResult
    from alignrec.pipeline.runner.runner import run as run

_NAMES = {"RunResult": "alignrec.pipeline.runner.runner", "run": "alignrec.pipeline.runner.runner"}

__getattr__, __dir__, __all__ = public(__name__, __path__, _NAMES, hidden=["package"])
