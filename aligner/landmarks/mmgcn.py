"""MMGCN (Wei et al., ACM MM 2019): a graph convolution for each modality."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from alignrec.aligner.landmarks.multimodal import multimodal_landmark
from alignrec.aligner.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from alignrec.aligner.recommenders.mmgcn import Mmgcn


class MMGCNSettings(RecommenderSettings):
    """Settings of MMGCN."""

    layers: int = Field(2, ge=1, description="over the interactions")
    l2_weight: float = Field(1e-3, ge=0, description="of half the squared length of a step's ID vectors")


def _load() -> type[Mmgcn]:
    from alignrec.aligner.recommenders.mmgcn import Mmgcn  # loads torch

    return Mmgcn


MMGCN = multimodal_landmark(
    "MMGCN",
    _load,
    MMGCNSettings(),
    {
        "l2_weight": (0.0, 1e-4, 1e-3, 1e-2, 1e-1),
        "learning_rate": (0.0003, 0.001, 0.003, 0.01),
    },
    citation="Wei et al., ACM MM 2019",
    year=2019,
)
