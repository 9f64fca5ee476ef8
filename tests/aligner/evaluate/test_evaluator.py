"""One way to measure: what is passed on, and what narrowing leaves."""

from __future__ import annotations

import numpy as np

from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID, Split
from tests.aligner.worlds import two_tastes

SPLIT = two_tastes()[2]


def scorer(users: np.ndarray) -> np.ndarray:
    return np.random.default_rng(9).random((SPLIT.users, SPLIT.items))[users]


def same(one: object, other: object) -> bool:
    values, wanted = one.values, other.values  # type: ignore[attr-defined]
    return list(values) == list(wanted) and all(np.array_equal(values[key], wanted[key]) for key in values)


def test_it_evaluates_with_its_own_cut_offs() -> None:
    evaluator = Evaluator(SPLIT, (1, 5))
    assert same(evaluator.evaluate(scorer, "test"), evaluate(scorer, SPLIT, TEST, (1, 5)))
    assert same(evaluator.evaluate(scorer, "valid"), evaluate(scorer, SPLIT, VALID, (1, 5)))
    assert (evaluator.history != SPLIT.matrix(TRAIN)).nnz == 0


def test_validation_positives_are_left_out_at_test_alone() -> None:
    kept, without = Evaluator(SPLIT), Evaluator(SPLIT, exclude_valid=True)
    wanted = evaluate(scorer, SPLIT, TEST, exclude_valid=True)
    assert same(without.evaluate(scorer, "test"), wanted) and not same(kept.evaluate(scorer, "test"), wanted)
    assert same(without.evaluate(scorer, "valid"), kept.evaluate(scorer, "valid"))


def test_narrowed_it_keeps_the_history_and_forgets_other_positives() -> None:
    user, item = np.array([0, 0, 0, 1]), np.array([0, 1, 2, 2])
    split = Split(2, 3, user, item, np.array([TRAIN, TEST, TEST, TRAIN], np.uint8))
    narrowed = Evaluator(split, (1,), exclude_valid=True).among(np.array([False, False, True]))
    assert (narrowed.ks, narrowed.exclude_valid) == ((1,), True)
    assert narrowed.history.toarray().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert narrowed.split.matrix(TEST).toarray().tolist() == [[0, 0, 1], [0, 0, 0]]
    result = narrowed.evaluate(lambda users: np.tile([3.0, 2.0, 1.0], (len(users), 1)), "test")
    assert (result.users.tolist(), result.mean("recall", 1)) == ([0], 1)
