"""GRCN (Wei et al., ACM MM 2020): edges weigh as much as content and taste agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from alignrec.aligner.landmarks.multimodal import multimodal_landmark
from alignrec.aligner.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from alignrec.aligner.recommenders.grcn import Grcn


class GRCNSettings(RecommenderSettings):
    """Settings of GRCN."""

    layers: int = Field(2, ge=0, description="over the interactions")
    routings: int = Field(3, ge=1, description="of a user's prototypes to the items that the user took")
    l2_weight: float = Field(
        1e-3, ge=0, description="of half the squared length of what is learned in a step"
    )


def _load() -> type[Grcn]:
    from alignrec.aligner.recommenders.grcn import Grcn  # loads torch

    return Grcn


GRCN = multimodal_landmark(
    "GRCN",
    _load,
    GRCNSettings(),
    {
        "l2_weight": (0.0, 1e-4, 1e-3, 1e-2, 1e-1),
        "learning_rate": (0.0003, 0.001, 0.003, 0.01),
    },
    citation="Wei et al., ACM MM 2020",
    year=2020,
)
