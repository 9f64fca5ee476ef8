"""Item-based collaborative filtering over the interactions (Sarwar et al., WWW 2001)."""

from __future__ import annotations

import scipy.sparse as sp
from pydantic import BaseModel, ConfigDict, Field

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.scorers import item_cf
from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.neighbours import cooccurrence_neighbours
from alignrec.core import vocabulary


class ItemCFSettings(BaseModel):
    """Settings of item-CF."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    neighbours: int = Field(50, ge=1, description="of each item")


SETTINGS = ItemCFSettings()


def cooccurrence_cf(history: sp.csr_array, k: int = SETTINGS.neighbours) -> Scorer:
    """`item_cf` with the cosine of shared users, the `k` nearest neighbours of each item."""
    return item_cf(history, cooccurrence_neighbours(history, k))


def fit(data: LandmarkInput) -> Scorer:
    """Find every item's neighbours by shared users."""
    return cooccurrence_cf(data.split.matrix(TRAIN))


ITEM_CF = Landmark(
    "item-CF",
    "neighbours by shared users: |a and b| / sqrt(|a| |b|), 50 nearest",
    fit,
    citation="Sarwar et al., WWW 2001",
    year=2001,
    settings=SETTINGS,
    rivals={vocabulary.ITEM_CF: "co-occurrence"},
)
