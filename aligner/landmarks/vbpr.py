"""VBPR (He and McAuley, AAAI 2016): matrix factorisation that looks at features too."""

from __future__ import annotations

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.search import TRAINED
from alignrec.aligner.train.settings import TrainSettings

SETTINGS = TrainSettings.paper(uia_weight=0.0)


def fit(data: LandmarkInput) -> Scorer:
    """Train by BPR on the centred features."""
    from alignrec.aligner.train.visual_bpr import vbpr  # loads torch

    return vbpr(*data.content(), data.split, data.within(SETTINGS), data.seed, **data.hooks)


VBPR = Landmark(
    "VBPR",
    "on the multimodal features; trained as LightGCN is",
    fit,
    citation="He and McAuley, AAAI 2016",
    year=2016,
    settings=SETTINGS,
    trained=True,
    search=TRAINED,
    needs_features=True,
    quick=False,
    without_content="BPR-MF",
)
