"""LightGCN is training by IDs alone, under BPR."""

from __future__ import annotations

from alignrec.aligner.landmarks.lightgcn import LIGHTGCN
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.settings import TrainSettings
from tests.aligner.landmarks.trainings import INPUT, SPLIT, scores, stopped_and_resumed

SETTINGS = TrainSettings.paper(uia_weight=0, layers=2, epochs=4, device="cpu")


def test_it_equals_a_direct_call() -> None:
    assert scores(LIGHTGCN.fit(INPUT)) == scores(collaborative(SPLIT, SETTINGS, INPUT.seed))


def test_stopped_it_ends_in_the_same_scores() -> None:
    assert stopped_and_resumed(LIGHTGCN) == (scores(LIGHTGCN.fit(INPUT)), 2)
