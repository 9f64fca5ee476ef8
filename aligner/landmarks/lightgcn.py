"""LightGCN (He et al., SIGIR 2020): IDs propagated over the interactions, without content."""

from __future__ import annotations

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput, Search
from alignrec.aligner.landmarks.search import TRAINED
from alignrec.aligner.train.settings import TrainSettings

SETTINGS = TrainSettings.paper(uia_weight=0.0)
# How far propagation reaches decides most where interactions are few: on Amazon Baby three layers were better
# than every width and learning rate that was tried with two.
SEARCH = Search({"layers": (1, 2, 3, 4), **TRAINED.grid}, budget=TRAINED.budget)


def fit(data: LandmarkInput) -> Scorer:
    """Train by BPR."""
    from alignrec.aligner.train.collaborative import collaborative  # loads torch

    return collaborative(data.split, data.within(SETTINGS), data.seed, **data.hooks)


LIGHTGCN = Landmark(
    "LightGCN",
    "BPR, stopped by validation Recall@20, at latest after train.epochs; two layers of 64 dimensions, "
    "learning rate 0.003 and L2 0.0001, and in a full evaluation those of the best validation Recall@20 of "
    "at most 10 trainings",
    fit,
    citation="He et al., SIGIR 2020",
    year=2020,
    settings=SETTINGS,
    trained=True,
    search=SEARCH,
)
