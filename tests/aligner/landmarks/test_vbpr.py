"""VBPR as a landmark: trained on the multimodal features, which it cannot do without."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.landmarks.vbpr import VBPR
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.visual_bpr import vbpr
from tests.aligner.landmarks.trainings import FEATURES, INPUT, SPLIT, VALID, scores, stopped_and_resumed

SETTINGS = TrainSettings.paper(uia_weight=0, epochs=4, device="cpu")


def test_it_equals_a_direct_call() -> None:
    assert scores(VBPR.fit(INPUT)) == scores(vbpr(FEATURES, VALID, SPLIT, SETTINGS, INPUT.seed))


def test_stopped_it_ends_in_the_same_scores() -> None:
    assert stopped_and_resumed(VBPR) == (scores(VBPR.fit(INPUT)), 2)


def test_without_features_it_is_refused() -> None:
    with pytest.raises(FeatureError, match="learns from features"):
        VBPR.fit(replace(INPUT, features=None))
