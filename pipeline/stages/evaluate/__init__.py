"""The evaluate stage: what the features are worth, measured and saved."""

from typing import TYPE_CHECKING

from alignrec.core.packages import public

if TYPE_CHECKING:
    from alignrec.pipeline.stages.evaluate.stage import STAGE as STAGE

__getattr__, __dir__, __all__ = public(
    __name__, __path__, {"STAGE": "alignrec.pipeline.stages.evaluate.stage"}
)
