"""All items, new ones, rare ones: who is ranked, and what is reported."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TEST, TRAIN, Split
from alignrec.aligner.evaluate.top_k import (
    evaluate_all,
    evaluate_as,
    left_out,
    long_tail,
    measurements,
    pairs_of,
    ranked_items,
    renamed,
)
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
    protocols = {"top-k", "cold-start", "few-interactions"}
    assert {r.protocol for r in found} == protocols, "no rare item is a positive"


def test_a_protocol_in_which_every_item_is_found_is_left_out() -> None:
    scorer = dot_scorer(np.ones((3, 2), np.float32), np.ones((4, 2), np.float32))
    protocols = [
        {protocol for protocol, _ in evaluate_all(scorer, Evaluator(NEW, ks))} for ks in ((1,), (1, 2))
    ]
    # Two items are new and two are rare enough at most: a list of two holds them, whoever ranks.
    assert "cold-start" in protocols[0] and "cold-start" not in protocols[1]
    assert protocols[1] == {"top-k", "few-interactions"}
    assert left_out(Evaluator(NEW, (1, 2))) == {"cold-start": 2, "long-tail": 0}


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


def test_users_with_few_interactions_are_a_row_of_their_own() -> None:
    rng = np.random.default_rng(0)
    scorer = dot_scorer(rng.random((SPLIT.users, 4)), rng.random((SPLIT.items, 4)))
    thin = SPLIT.thinned(0.3, 0)
    counts = np.bincount(thin.user[thin.label == TRAIN], minlength=thin.users)
    reached = evaluate_all(scorer, Evaluator(thin, (5,)))
    whole, few = reached["top-k", "test"], reached["few-interactions", "test"]
    assert 0 < len(few.users) < len(whole.users)
    assert few.users.tolist() == [user for user in whole.users if counts[user] < 4]
    kept = np.isin(whole.users, few.users)
    assert np.array_equal(few.values["recall", 5], whole.values["recall", 5][kept])
    label = np.repeat(np.array([0, 2], np.uint8), (4, 4))
    many = Split(1, SPLIT.items, np.zeros(8, np.int64), np.arange(8), label)
    assert ("few-interactions", "test") not in evaluate_all(scorer, Evaluator(many, (5,)))


def test_thinned_histories_are_measured_as_whole_ones_are() -> None:
    """What was learned from is less; who is ranked for, what is found and what is left out is not."""
    scorer = dot_scorer(np.ones((SPLIT.users, 2)), np.random.default_rng(0).random((SPLIT.items, 2)))
    evaluator = Evaluator(SPLIT, (5,))
    whole, thinned = evaluate_all(scorer, evaluator), evaluate_as("thinned", scorer, evaluator)
    assert list(thinned) == [("thinned", "valid"), ("thinned", "test")]
    for part in ("valid", "test"):
        assert np.array_equal(whole["top-k", part].users, thinned["thinned", part].users)
        assert np.array_equal(
            whole["top-k", part].values["ndcg", 5], thinned["thinned", part].values["ndcg", 5]
        )
    same = renamed(whole, "trained-mask-image")
    assert {key: one is whole["top-k", key[1]] for key, one in same.items()} == {
        ("trained-mask-image", "valid"): True,
        ("trained-mask-image", "test"): True,
    }
    found = measurements({"EASE": {None: thinned}}, (), 0.2)
    assert {(r.protocol, r.share) for r in found} == {("thinned", 0.2)}


def test_pairs_are_ours_and_the_control_against_others_and_content_against_none() -> None:
    content = [("EASE with content", "EASE"), ("VBPR", "BPR-MF")]
    names = ["multimodal", "EASE", "EASE with content"]
    assert pairs_of(names, content) == [
        ("multimodal", "EASE"),
        ("multimodal", "EASE with content"),
        ("EASE with content", "EASE"),
    ]
    assert pairs_of(["EASE", "VBPR"], content) == []
    trained = ["aligned", "aligned without content", "EASE", "multimodal"]
    assert pairs_of(trained, content) == [
        *(("aligned", name) for name in trained[1:]),
        ("aligned without content", "EASE"),
    ]


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
