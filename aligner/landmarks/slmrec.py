"""SLMRec (Tao et al., IEEE TMM 2022): modalities spread apart, and align from fine to coarse."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from alignrec.aligner.landmarks.multimodal import multimodal_landmark
from alignrec.aligner.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from alignrec.aligner.recommenders.slmrec import SLMRec


class SLMRecSettings(RecommenderSettings):
    """Settings of SLMRec."""

    layers: int = Field(2, ge=0, description="over the interactions")
    alignment_weight: float = Field(0.01, ge=0, description="of the alignment from fine to coarse")
    temperature: float = Field(0.2, gt=0, description="of that alignment")
    l2_weight: float = Field(1e-4, ge=0, description="of half the squared length of a step's vectors")


def _load() -> type[SLMRec]:
    from alignrec.aligner.recommenders.slmrec import SLMRec  # loads torch

    return SLMRec


SLMREC = multimodal_landmark(
    "SLMRec",
    _load,
    SLMRecSettings(),
    {
        "learning_rate": (0.0003, 0.001, 0.003, 0.01),
        "alignment_weight": (0.001, 0.01, 0.1),
        "l2_weight": (0.0, 1e-4, 1e-3, 1e-2, 1e-1),
    },
    citation="Tao et al., IEEE TMM 2022",
    year=2022,
)
