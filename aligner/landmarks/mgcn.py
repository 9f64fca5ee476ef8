"""MGCN (Yu et al., ACM MM 2023): content purified by behaviour, and fused as behaviour prefers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from alignrec.aligner.landmarks.multimodal import multimodal_landmark
from alignrec.aligner.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from alignrec.aligner.recommenders.mgcn import Mgcn


class MGCNSettings(RecommenderSettings):
    """Settings of MGCN."""

    layers: int = Field(2, ge=0, description="over the interactions")
    item_layers: int = Field(1, ge=1, description="over similar items")
    neighbours: int = Field(10, ge=1, description="k, the item itself among them")
    contrast_weight: float = Field(0.01, ge=0, description="of the agreement of content with behaviour")
    temperature: float = Field(0.2, gt=0, description="of that agreement")
    l2_weight: float = Field(1e-4, ge=0, description="of half the squared length of a step's vectors")


def _load() -> type[Mgcn]:
    from alignrec.aligner.recommenders.mgcn import Mgcn  # loads torch

    return Mgcn


MGCN = multimodal_landmark(
    "MGCN",
    _load,
    MGCNSettings(),
    {
        "learning_rate": (0.0003, 0.001, 0.003, 0.01),
        "contrast_weight": (0.001, 0.01, 0.1),
        "l2_weight": (0.0, 1e-5, 1e-4, 1e-3),
    },
    citation="Yu et al., ACM MM 2023",
    year=2023,
)
