"""SLMRec (Tao et al., IEEE TMM 2022): modalities spread apart, and align from fine to coarse."""

from __future__ import annotations

from functools import partial

from pydantic import Field

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput, Search
from alignrec.aligner.landmarks.search import MULTIMODAL_BUDGET, MULTIMODAL_TRAINING
from alignrec.aligner.recommenders.settings import RecommenderSettings


class SLMRecSettings(RecommenderSettings):
    """Settings of SLMRec."""

    layers: int = Field(2, ge=0, description="over the interactions")
    alignment_weight: float = Field(0.01, ge=0, description="of the alignment from fine to coarse")
    temperature: float = Field(0.2, gt=0, description="of that alignment")
    l2_weight: float = Field(1e-4, ge=0, description="of half the squared length of a step's vectors")


SETTINGS = SLMRecSettings()


def fit(data: LandmarkInput) -> Scorer:
    """Train by BPR."""
    from alignrec.aligner.recommenders.slmrec import SLMRec  # loads torch
    from alignrec.aligner.recommenders.task import fit_recommender

    settings = data.within(SETTINGS)
    model = partial(SLMRec, **settings.of_the_model())
    return fit_recommender(model, data.by_modality(), data.split, settings, data.seed, data.hooks)


SLMREC = Landmark(
    "SLMRec",
    MULTIMODAL_TRAINING,
    fit,
    citation="Tao et al., IEEE TMM 2022",
    year=2022,
    settings=SETTINGS,
    trained=True,
    search=Search(
        {
            "learning_rate": (0.0003, 0.001, 0.003, 0.01),
            "alignment_weight": (0.001, 0.01, 0.1),
            "l2_weight": (0.0, 1e-4, 1e-3, 1e-2, 1e-1),
        },
        budget=MULTIMODAL_BUDGET,
    ),
    needs_modalities=True,
    quick=False,
)
