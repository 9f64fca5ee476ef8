"""BM3 (Zhou et al., WWW 2023): views of the same vectors are brought together, without negatives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from alignrec.aligner.landmarks.multimodal import multimodal_landmark
from alignrec.aligner.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from alignrec.aligner.recommenders.bm3 import Bm3


class BM3Settings(RecommenderSettings):
    """Settings of BM3."""

    layers: int = Field(1, ge=0, description="over the interactions")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of a target's dimensions that are dropped")
    l2_weight: float = Field(0.1, ge=0, description="lambda, of half the squared length of ID vectors")


def _load() -> type[Bm3]:
    from alignrec.aligner.recommenders.bm3 import Bm3  # loads torch

    return Bm3


BM3 = multimodal_landmark(
    "BM3",
    _load,
    BM3Settings(),
    {
        "l2_weight": (0.0, 0.001, 0.01, 0.1, 1.0),
        "dropout": (0.3, 0.5),
        "layers": (1, 2),
        "learning_rate": (0.0003, 0.001, 0.003, 0.01),
    },
    citation="Zhou et al., WWW 2023",
    year=2023,
)
