"""The finetune stage: a BEiT-3 checkpoint learns the catalogue before features are extracted by it."""

from typing import TYPE_CHECKING

from alignrec.core.packages import public

if TYPE_CHECKING:
    from alignrec.pipeline.stages.finetune.stage import STAGE as STAGE

__getattr__, __dir__, __all__ = public(
    __name__, __path__, {"STAGE": "alignrec.pipeline.stages.finetune.stage"}
)
