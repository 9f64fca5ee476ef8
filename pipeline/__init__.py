"""The pipeline: from a catalogue and a config to a release, stage by stage."""

from typing import TYPE_CHECKING

from alignrec.core.packages import public

if TYPE_CHECKING:
    from alignrec.pipeline.stages.chain import RunResult as RunResult
    from alignrec.pipeline.stages.chain import run as run
    from alignrec.pipeline.stages.chain import status as status

_NAMES = dict.fromkeys(("RunResult", "run", "status"), "alignrec.pipeline.stages.chain")

__getattr__, __dir__, __all__ = public(__name__, __path__, _NAMES, hidden=["package"])
