"""GRCN (Wei et al., ACM MM 2020): edges weigh as much as content and taste agree."""

from __future__ import annotations

from functools import partial

from pydantic import Field

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput, Search
from alignrec.aligner.landmarks.search import MULTIMODAL_BUDGET, MULTIMODAL_TRAINING
from alignrec.aligner.recommenders.settings import RecommenderSettings


class GRCNSettings(RecommenderSettings):
    """Settings of GRCN."""

    layers: int = Field(2, ge=0, description="over the interactions")
    routings: int = Field(3, ge=1, description="of a user's prototypes to the items that the user took")
    l2_weight: float = Field(
        1e-3, ge=0, description="of half the squared length of what is learned in a step"
    )


SETTINGS = GRCNSettings()


def fit(data: LandmarkInput) -> Scorer:
    """Train by BPR."""
    from alignrec.aligner.recommenders.grcn import Grcn  # loads torch
    from alignrec.aligner.recommenders.task import fit_recommender

    settings = data.within(SETTINGS)
    model = partial(Grcn, **settings.of_the_model())
    return fit_recommender(model, data.by_modality(), data.split, settings, data.seed, data.hooks)


GRCN = Landmark(
    "GRCN",
    MULTIMODAL_TRAINING,
    fit,
    citation="Wei et al., ACM MM 2020",
    year=2020,
    settings=SETTINGS,
    trained=True,
    search=Search(
        {
            "l2_weight": (0.0, 1e-4, 1e-3, 1e-2, 1e-1),
            "learning_rate": (0.0003, 0.001, 0.003, 0.01),
        },
        budget=MULTIMODAL_BUDGET,
    ),
    needs_modalities=True,
    quick=False,
)
