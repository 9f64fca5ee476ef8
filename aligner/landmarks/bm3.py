"""BM3 (Zhou et al., WWW 2023): views of the same vectors are brought together, without negatives."""

from __future__ import annotations

from functools import partial

from pydantic import Field

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput, Search
from alignrec.aligner.landmarks.search import MULTIMODAL_BUDGET, MULTIMODAL_TRAINING
from alignrec.aligner.recommenders.settings import RecommenderSettings


class BM3Settings(RecommenderSettings):
    """Settings of BM3."""

    layers: int = Field(1, ge=0, description="over the interactions")
    dropout: float = Field(0.3, ge=0, lt=1, description="share of a target's dimensions that are dropped")
    l2_weight: float = Field(0.1, ge=0, description="lambda, of half the squared length of ID vectors")


SETTINGS = BM3Settings()


def fit(data: LandmarkInput) -> Scorer:
    """Train on interactions alone: no item is a negative."""
    from alignrec.aligner.recommenders.bm3 import Bm3  # loads torch
    from alignrec.aligner.recommenders.task import fit_recommender

    settings = data.within(SETTINGS)
    model = partial(Bm3, **settings.of_the_model())
    return fit_recommender(model, data.by_modality(), data.split, settings, data.seed, data.hooks)


BM3 = Landmark(
    "BM3",
    MULTIMODAL_TRAINING,
    fit,
    citation="Zhou et al., WWW 2023",
    year=2023,
    settings=SETTINGS,
    trained=True,
    search=Search(
        {
            "l2_weight": (0.0, 0.001, 0.01, 0.1, 1.0),
            "dropout": (0.3, 0.5),
            "layers": (1, 2),
            "learning_rate": (0.0003, 0.001, 0.003, 0.01),
        },
        budget=MULTIMODAL_BUDGET,
    ),
    needs_modalities=True,
    quick=False,
)
