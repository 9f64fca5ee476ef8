"""Our own recommender against the landmarks, and landmarks beside untrained features."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.top_k import Evaluations, evaluate_all
from alignrec.aligner.landmarks.contract import Landmark
from alignrec.aligner.landmarks.quick_evaluation import quick_evaluation, rivals
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.core.vocabulary import CONTROL
from tests.aligner.landmarks.trainings import INPUT, SPLIT

LANDMARKS = landmarks_of(SPLIT.items, full=False)


def test_every_landmark_is_measured_and_ours_compared_with_it() -> None:
    evaluator, data = Evaluator(SPLIT, (5,)), replace(INPUT, epochs=1)
    own = dot_scorer(np.ones((SPLIT.users, 2)), np.random.default_rng(0).random((SPLIT.items, 2)))
    ids_alone = dot_scorer(np.ones((SPLIT.users, 2)), np.random.default_rng(1).random((SPLIT.items, 2)))
    control = evaluate_all(ids_alone, evaluator)
    asked: list[str] = []

    def reach(mark: Landmark) -> Evaluations:
        asked.append(mark.name)
        return evaluate_all(mark.fit(data), evaluator)

    records = quick_evaluation(evaluator, own, control, LANDMARKS, reach, data.seed)
    assert asked == [mark.name for mark in LANDMARKS]
    found = {
        r.subject: (r.value, r.seed)
        for r in records
        if (r.protocol, r.split, r.metric, r.against) == ("top-k", "test", "recall", None)
    }
    assert list(found) == [
        "aligned",
        CONTROL,
        "popularity",
        "item-CF",
        "EASE",
        "EASE with content",
        "LightGCN",
    ]
    scorers = {
        "aligned": own,
        CONTROL: ids_alone,
        **{landmark.name: landmark.fit(data) for landmark in LANDMARKS},
    }
    for name, scorer in scorers.items():
        wanted = evaluator.evaluate(scorer, "test").mean("recall", 5)
        assert found[name] == (pytest.approx(wanted), 3 if name in ("aligned", CONTROL, "LightGCN") else None)
    assert {(r.subject, r.against) for r in records if r.against} == {
        *((subject, landmark.name) for subject in ("aligned", CONTROL) for landmark in LANDMARKS),
        ("aligned", CONTROL),
        ("EASE with content", "EASE"),
    }


def test_some_stand_beside_untrained_features() -> None:
    evaluator = Evaluator(SPLIT, (5,))
    found = rivals(LANDMARKS, lambda mark: evaluate_all(mark.fit(INPUT), evaluator))
    assert {protocol: list(reached) for protocol, reached in found.items()} == {
        "zero-shot": ["popularity"],
        "item-cf": ["co-occurrence"],
    }
    fitted = {landmark.name: landmark.fit(INPUT) for landmark in LANDMARKS if landmark.rivals}
    for reached, name in (
        (found["zero-shot"]["popularity"], "popularity"),
        (found["item-cf"]["co-occurrence"], "item-CF"),
    ):
        wanted = evaluator.evaluate(fitted[name], "test")
        assert np.array_equal(reached["top-k", "test"].values["ndcg", 5], wanted.values["ndcg", 5])
