"""All items, new ones, rare ones: who is ranked, and what is reported."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TEST, TRAIN, Split
from alignrec.aligner.evaluate.top_k import evaluate_all, long_tail, measurements, ranked_items
from alignrec.core.results import Measurement
from tests.aligner.worlds import COLD, two_tastes

SPLIT = two_tastes()[2]
NEW = Split(
    3,
    4,
    np.array([0, 0, 1, 1, 2, 0, 1]),
    np.array([0, 1, 1, 0, 0, 2, 3]),
    np.array([0, 1, 0, 1, 0, 2, 2], np.uint8),
)


def one(records: list[Measurement], **wanted: object) -> Measurement:
    wanted = {"split": "test", "against": None, "aggregate": None} | wanted
    (found,) = [r for r in records if all(getattr(r, key) == value for key, value in wanted.items())]
    return found


def test_new_items_compete_among_themselves() -> None:
    user = np.array([[1, 0], [1, 0], [0, 0]], np.float32)
    item = np.array([[9, 9], [9, 9], [1, 0], [0, 1]], np.float32)
    found = measurements({"aligned": {1: evaluate_all(dot_scorer(user, item), Evaluator(NEW, (1,)))}})
    # The first user's new item comes first of the two, the second user's does not.
    assert one(found, protocol="cold-start", metric="recall").value == 0.5
    assert one(found, protocol="top-k", metric="recall").value == 0
    assert {r.protocol for r in found} == {"top-k", "cold-start"}, "no rare item is a positive"


def test_a_protocol_in_which_every_item_is_found_is_left_out() -> None:
    scorer = dot_scorer(np.ones((3, 2), np.float32), np.ones((4, 2), np.float32))
    protocols = [
        {protocol for protocol, _ in evaluate_all(scorer, Evaluator(NEW, ks))} for ks in ((1,), (1, 2))
    ]
    # Two items are new and two are rare enough at most: a list of two holds them, whoever ranks.
    assert "cold-start" in protocols[0] and "cold-start" not in protocols[1]
    assert protocols[1] == {"top-k"}


def test_each_protocol_ranks_its_own_items() -> None:
    ranked = ranked_items(SPLIT)
    counts = SPLIT.matrix(TRAIN).sum(axis=0)
    assert list(ranked) == ["top-k", "cold-start", "long-tail"]
    assert ranked["top-k"].all() and np.array_equal(ranked["cold-start"], counts == 0)
    assert ranked["cold-start"][-COLD:].all()
    rare = ranked["long-tail"]
    assert np.array_equal(rare, long_tail(SPLIT))
    assert 0 < counts[rare].sum() <= 0.2 * counts.sum()
    assert counts[rare].max() <= counts[~rare & (counts > 0)].min()


def test_validation_has_the_main_metrics_and_test_all_and_the_differences() -> None:
    rng = np.random.default_rng(0)
    scorers = {
        name: dot_scorer(rng.random((SPLIT.users, 4)), rng.random((SPLIT.items, 4)))
        for name in ("aligned", "other")
    }
    evaluator = Evaluator(SPLIT, (5,))
    found = measurements(
        {
            name: {1 if name == "aligned" else None: evaluate_all(scorer, evaluator)}
            for name, scorer in scorers.items()
        }
    )
    top_k = [r for r in found if r.protocol == "top-k"]
    assert {r.metric for r in top_k if r.split == "valid"} == {"recall", "ndcg"}
    assert {r.metric for r in top_k if r.split == "test"} == {
        "recall",
        "precision",
        "ndcg",
        "map",
        "hit",
        "mrr",
    }
    assert {(r.split, r.subject, r.against) for r in top_k if r.against} == {("test", "aligned", "other")}
    ours, theirs = (evaluate(scorer, SPLIT, TEST, (5,)).values["ndcg", 5] for scorer in scorers.values())
    wanted, got = interval(ours, theirs), one(top_k, subject="aligned", against="other", metric="ndcg")
    assert (got.value, got.low, got.high, got.seed) == pytest.approx(
        (wanted.mean, wanted.low, wanted.high, 1)
    )
    rare = long_tail(SPLIT)
    reached = Evaluator(SPLIT, (5,)).among(rare).evaluate(scorers["other"], "test").mean("map", 5)
    assert one(found, protocol="long-tail", subject="other", metric="map").value == pytest.approx(reached)
