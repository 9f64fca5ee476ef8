"""MGCN (Yu et al., ACM MM 2023): content purified by behaviour, and fused as behaviour prefers."""

from __future__ import annotations

from functools import partial

from pydantic import Field

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput, Search
from alignrec.aligner.landmarks.search import MULTIMODAL_BUDGET, MULTIMODAL_TRAINING
from alignrec.aligner.recommenders.settings import RecommenderSettings


class MGCNSettings(RecommenderSettings):
    """Settings of MGCN."""

    layers: int = Field(2, ge=0, description="over the interactions")
    item_layers: int = Field(1, ge=1, description="over similar items")
    neighbours: int = Field(10, ge=1, description="k, the item itself among them")
    contrast_weight: float = Field(0.01, ge=0, description="of the agreement of content with behaviour")
    temperature: float = Field(0.2, gt=0, description="of that agreement")
    l2_weight: float = Field(1e-4, ge=0, description="of half the squared length of a step's vectors")


SETTINGS = MGCNSettings()


def fit(data: LandmarkInput) -> Scorer:
    """Train by BPR."""
    from alignrec.aligner.recommenders.mgcn import Mgcn  # loads torch
    from alignrec.aligner.recommenders.task import fit_recommender

    settings = data.within(SETTINGS)
    model = partial(Mgcn, **settings.of_the_model())
    return fit_recommender(model, data.by_modality(), data.split, settings, data.seed, data.hooks)


MGCN = Landmark(
    "MGCN",
    MULTIMODAL_TRAINING,
    fit,
    citation="Yu et al., ACM MM 2023",
    year=2023,
    settings=SETTINGS,
    trained=True,
    search=Search(
        {
            "learning_rate": (0.0003, 0.001, 0.003, 0.01),
            "contrast_weight": (0.001, 0.01, 0.1),
            "l2_weight": (0.0, 1e-5, 1e-4, 1e-3),
        },
        budget=MULTIMODAL_BUDGET,
    ),
    needs_modalities=True,
    quick=False,
)
