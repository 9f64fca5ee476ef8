"""BPR-MF is training by IDs alone, under BPR and without layers."""

from __future__ import annotations

from alignrec.aligner.landmarks.bpr_mf import BPR_MF
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.settings import TrainSettings
from tests.aligner.landmarks.trainings import INPUT, SPLIT, scores, stopped_and_resumed

SETTINGS = TrainSettings.paper(uia_weight=0, layers=0, epochs=4, device="cpu")


def test_it_equals_a_direct_call() -> None:
    assert scores(BPR_MF.fit(INPUT)) == scores(collaborative(SPLIT, SETTINGS, INPUT.seed))


def test_stopped_it_ends_in_the_same_scores() -> None:
    assert stopped_and_resumed(BPR_MF) == (scores(BPR_MF.fit(INPUT)), 2)
