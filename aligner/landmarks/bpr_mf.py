"""BPR-MF (Rendle et al., UAI 2009): matrix factorisation that learns to rank."""

from __future__ import annotations

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.search import TRAINED
from alignrec.aligner.train.settings import TrainSettings

SETTINGS = TrainSettings.paper(uia_weight=0.0, layers=0)


def fit(data: LandmarkInput) -> Scorer:
    """Train by BPR."""
    from alignrec.aligner.train.collaborative import collaborative  # loads torch

    return collaborative(data.split, data.within(SETTINGS), data.seed, **data.hooks)


BPR_MF = Landmark(
    "BPR-MF",
    "trained as LightGCN is, without layers",
    fit,
    citation="Rendle et al., UAI 2009",
    year=2009,
    settings=SETTINGS,
    trained=True,
    search=TRAINED,
    quick=False,
)
