"""Numbers over seeds: means, deviations, and pairs of what each user got on average."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.comparison import compare_seeds
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.core.results import Measurement

RNG = np.random.default_rng(3)
USERS = np.arange(40)
KEYS = [("recall", 20), ("ndcg", 20), ("map", 20)]


def _evaluation() -> Evaluation:
    return Evaluation(USERS, {key: RNG.random(len(USERS)) for key in KEYS})


OURS = {1: _evaluation(), 2: _evaluation(), 5: _evaluation()}
LEARNED = {1: _evaluation(), 2: _evaluation(), 5: _evaluation()}
COUNTED = {None: _evaluation()}
PAIRS = [("ours", "learned"), ("ours", "counted")]
FOUND = compare_seeds("top-k", {"ours": OURS, "learned": LEARNED, "counted": COUNTED}, PAIRS)


def one(**wanted: object) -> Measurement:
    wanted = {"metric": "recall", "against": None, "aggregate": None, "seed": None, **wanted}
    (found,) = [m for m in FOUND if all(getattr(m, key) == value for key, value in wanted.items())]
    return found


def test_mean_and_deviation_are_those_of_the_seeds() -> None:
    values = [found.mean("recall", 20) for found in OURS.values()]
    assert one(subject="ours", aggregate="mean").value == pytest.approx(np.mean(values))
    assert one(subject="ours", aggregate="std").value == pytest.approx(np.std(values, ddof=1))
    for seed, value in zip(OURS, values, strict=True):
        assert one(subject="ours", seed=seed).value == pytest.approx(value)


def test_what_was_not_trained_stands_for_itself() -> None:
    measurements = [m for m in FOUND if m.subject == "counted"]
    assert {(m.aggregate, m.seed) for m in measurements} == {(None, None)}
    assert one(subject="counted").value == pytest.approx(COUNTED[None].mean("recall", 20))


@pytest.mark.parametrize("rival", ["learned", "counted"])
def test_differences_pair_users_after_averaging_their_seeds(rival: str) -> None:
    others = LEARNED if rival == "learned" else COUNTED
    ours, theirs = (
        np.mean([found.values["ndcg", 20] for found in by_seed.values()], axis=0)
        for by_seed in (OURS, others)
    )
    wanted = interval(ours, theirs)
    found = one(subject="ours", metric="ndcg", against=rival, aggregate="mean")
    assert (found.value, found.low, found.high) == pytest.approx((wanted.mean, wanted.low, wanted.high))


def test_only_the_pairs_are_compared_and_only_asked_metrics_reported() -> None:
    assert {(m.subject, m.against) for m in FOUND if m.against} == {("ours", "learned"), ("ours", "counted")}
    assert {m.metric for m in FOUND} == {"recall", "ndcg"}


def test_one_seed_is_neither_mean_nor_deviation() -> None:
    found = compare_seeds(
        "top-k", {"ours": {7: OURS[1]}, "counted": COUNTED}, [("ours", "counted")], split="valid"
    )
    assert {(m.subject, m.against, m.seed, m.aggregate, m.split) for m in found} == {
        ("ours", None, 7, None, "valid"),
        ("ours", "counted", 7, None, "valid"),
        ("counted", None, None, None, "valid"),
    }


def test_without_users_there_are_no_numbers() -> None:
    nobody = Evaluation(USERS[:0], {key: np.zeros(0) for key in KEYS})
    assert compare_seeds("cold-start", {"ours": {1: nobody, 2: nobody}}, []) == []
