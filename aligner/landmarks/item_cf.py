"""Item-based collaborative filtering over the interactions (Sarwar et al., WWW 2001)."""

from __future__ import annotations

import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.scorers import item_cf
from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.search import climb, validation_recall
from alignrec.aligner.neighbours import cooccurrence_neighbours
from alignrec.core import protocols


class ItemCFSettings(BaseModel):
    """Settings of item-CF, among which validation chooses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: tuple[PositiveInt, ...] = Field(
        (20, 50, 100, 200, 400, 800), min_length=1, description="of each item"
    )
    shrinkage: tuple[NonNegativeFloat, ...] = Field(
        (0, 1, 3, 10, 30, 100, 300, 1000), min_length=1, description="users' worth of doubt"
    )
    budget: int = Field(14, ge=1, description="settings that are tried at most")


SETTINGS = ItemCFSettings()
START = {"neighbours": 100, "shrinkage": 3}


def cooccurrence_cf(history: sp.csr_array, neighbours: float = 50, shrinkage: float = 0) -> Scorer:
    """`item_cf` with the shrunk cosine of shared users, the nearest neighbours of each item."""
    return item_cf(history, cooccurrence_neighbours(history, int(neighbours), shrinkage))


def fit(data: LandmarkInput) -> Scorer:
    """Search for its settings, and find every item's neighbours by shared users."""
    history = data.split.matrix(TRAIN)
    best = climb(
        SETTINGS.model_dump(exclude={"budget"}),
        START,
        lambda chosen: validation_recall(cooccurrence_cf(history, **chosen), data.split),
        SETTINGS.budget,
    )
    return cooccurrence_cf(history, **best)


ITEM_CF = Landmark(
    "item-CF",
    "neighbours by shared users: |a and b| / (sqrt(|a| |b|) + shrinkage); shrinkage and number of neighbours "
    "of the best validation Recall@20 of at most 14 settings",
    fit,
    citation="Sarwar et al., WWW 2001",
    year=2001,
    settings=SETTINGS,
    rivals={protocols.ITEM_CF: "co-occurrence"},
)
