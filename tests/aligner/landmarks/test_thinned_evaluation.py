"""Thinned histories without training: who learns from what is left, and who stands against whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.scorers import zero_shot
from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.aligner.landmarks.thinned_evaluation import thinned_evaluation
from tests.aligner.landmarks.trainings import FEATURES, INPUT, SPLIT

LANDMARKS = landmarks_of(SPLIT.items, full=True)
FITTED = ["popularity", "item-CF", "EASE", "EASE with content"]


def test_everything_that_is_not_trained_learns_from_what_is_left() -> None:
    evaluator = Evaluator(SPLIT, (5,))
    records = thinned_evaluation(evaluator, (0.2, 0.5), {"multimodal": FEATURES}, LANDMARKS, INPUT)
    for share in (0.2, 0.5):
        kept = SPLIT.thinned(share, INPUT.seed)
        scorers = {mark.name: mark.fit(replace(INPUT, split=kept)) for mark in LANDMARKS if not mark.trained}
        scorers["multimodal"] = zero_shot(FEATURES, kept.matrix(TRAIN))
        found = {
            r.subject: r.value
            for r in records
            if (r.split, r.metric, r.share, r.against) == ("test", "recall", share, None)
        }
        assert set(found) == {*FITTED, "multimodal"}
        for name, scorer in scorers.items():
            assert found[name] == pytest.approx(evaluator.evaluate(scorer, "test").mean("recall", 5)), name
    assert {r.protocol for r in records} == {"thinned"}
    assert {(r.subject, r.against) for r in records if r.against} == {
        *(("multimodal", name) for name in FITTED),
        ("EASE with content", "EASE"),
    }


def test_without_features_landmarks_stand_alone() -> None:
    marks = [mark for mark in LANDMARKS if not mark.needs_features]
    records = thinned_evaluation(Evaluator(SPLIT, (5,)), (0.5,), {}, marks, replace(INPUT, features=None))
    assert {r.subject for r in records} == {"popularity", "item-CF", "EASE"}
    assert not any(r.against for r in records)
    assert thinned_evaluation(Evaluator(SPLIT, (5,)), (0.5,), {}, [], INPUT) == []
