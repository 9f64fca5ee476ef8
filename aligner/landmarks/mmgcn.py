"""MMGCN (Wei et al., ACM MM 2019): a graph convolution for each modality."""

from __future__ import annotations

from functools import partial

from pydantic import Field

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput, Search
from alignrec.aligner.landmarks.search import MULTIMODAL_BUDGET, MULTIMODAL_TRAINING
from alignrec.aligner.recommenders.settings import RecommenderSettings


class MMGCNSettings(RecommenderSettings):
    """Settings of MMGCN."""

    layers: int = Field(2, ge=1, description="over the interactions")
    l2_weight: float = Field(1e-3, ge=0, description="of half the squared length of a step's ID vectors")


SETTINGS = MMGCNSettings()


def fit(data: LandmarkInput) -> Scorer:
    """Train by BPR."""
    from alignrec.aligner.recommenders.mmgcn import Mmgcn  # loads torch
    from alignrec.aligner.recommenders.task import fit_recommender

    settings = data.within(SETTINGS)
    model = partial(Mmgcn, **settings.of_the_model())
    return fit_recommender(model, data.by_modality(), data.split, settings, data.seed, data.hooks)


MMGCN = Landmark(
    "MMGCN",
    MULTIMODAL_TRAINING,
    fit,
    citation="Wei et al., ACM MM 2019",
    year=2019,
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
