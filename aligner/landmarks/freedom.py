"""FREEDOM (Zhou and Shen, ACM MM 2023): similar items in a frozen graph, interactions in a denoised one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from alignrec.aligner.landmarks.multimodal import multimodal_landmark
from alignrec.aligner.recommenders.settings import RecommenderSettings

if TYPE_CHECKING:
    from alignrec.aligner.recommenders.freedom import Freedom


class FreedomSettings(RecommenderSettings):
    """Settings of FREEDOM, the paper's where it names one."""

    layers: int = Field(2, ge=0, description="over the interactions")
    item_layers: int = Field(1, ge=0, description="over similar items")
    neighbours: int = Field(10, ge=1, description="k, the item itself among them")
    first_weight: float = Field(
        0.1, ge=0, le=1, description="of the first modality's graph; the others share the rest"
    )
    pruned: float = Field(0.8, ge=0, lt=1, description="share of interactions that an epoch leaves out")
    content_weight: float = Field(0.001, ge=0, description="lambda, of the loss on projected features")


def _load() -> type[Freedom]:
    from alignrec.aligner.recommenders.freedom import Freedom  # loads torch

    return Freedom


FREEDOM = multimodal_landmark(
    "FREEDOM",
    _load,
    FreedomSettings(),
    {
        "learning_rate": (0.0003, 0.001, 0.003, 0.01),
        "pruned": (0.5, 0.8, 0.9),
        "content_weight": (0.0, 1e-5, 1e-4, 1e-3, 1e-2),
    },
    citation="Zhou and Shen, ACM MM 2023",
    year=2023,
)
