"""EASE against a ridge regression solved item by item; its penalty is chosen on validation."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.splits import TRAIN, VALID
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.ease import EASE, MAX_ITEMS, SETTINGS, START, ease, gram, tuned_ease
from tests.aligner.histories import ITEMS, USERS, seeds, world
from tests.aligner.worlds import two_tastes


@given(seeds, st.floats(0.1, 10))
def test_ease_is_the_ridge_regression_without_a_diagonal(seed: int, penalty: float) -> None:
    """Its gradient vanishes off the diagonal: X'(XB - X) + penalty B = 0 wherever B is free."""
    _, history = world(seed)
    weights = ease(sp.csr_array(np.eye(ITEMS, dtype=np.float32)), 1.0)(np.arange(ITEMS))
    assert weights == pytest.approx(0, abs=1e-6), "items that share no user say nothing of one another"
    scores = ease(sp.csr_array(history), penalty)(np.arange(USERS))
    solved = np.zeros((ITEMS, ITEMS))
    for i in range(ITEMS):
        others = np.arange(ITEMS) != i
        x = history[:, others]
        gram = x.T @ x + penalty * np.eye(ITEMS - 1)
        solved[others, i] = np.linalg.solve(gram, x.T @ history[:, i])
    assert scores == pytest.approx(history @ solved, abs=1e-4)


@given(seeds)
def test_users_weigh_by_their_degree_and_all_interactions_as_many_as_they_are(seed: int) -> None:
    _, history = world(seed)
    degree = history.sum(axis=1)
    weight = np.where(degree > 0, 1 / np.maximum(degree, 1), 0)
    weight *= degree.sum() / max((weight * degree).sum(), 1)
    assert gram(sp.csr_array(history), 1.0) == pytest.approx(history.T @ np.diag(weight) @ history)
    assert gram(sp.csr_array(history)) == pytest.approx(history.T @ history)
    assert np.trace(gram(sp.csr_array(history), 0.5)) == pytest.approx(history.sum())


def test_the_landmark_has_settings_that_no_neighbour_of_theirs_beats_on_validation() -> None:
    split = two_tastes()[2]
    history, users = split.matrix(TRAIN), np.arange(split.users)
    scores = EASE.fit(LandmarkInput(split))(users)
    grid = [(p, b) for p in SETTINGS.penalty for b in SETTINGS.balance]
    chosen = [(p, b) for p, b in grid if np.array_equal(ease(history, p, b)(users), scores)]
    reached = {s: evaluate(ease(history, *s), split, VALID, (20,)).mean("recall", 20) for s in grid}
    (best,) = chosen
    assert reached[best] >= reached[START["penalty"], START["balance"]]
    p, b = SETTINGS.penalty.index(best[0]), SETTINGS.balance.index(best[1])
    around = [(SETTINGS.penalty[q], best[1]) for q in (p - 1, p + 1) if 0 <= q < len(SETTINGS.penalty)]
    around += [(best[0], SETTINGS.balance[q]) for q in (b - 1, b + 1) if 0 <= q < len(SETTINGS.balance)]
    assert all(reached[other] <= reached[best] for other in around)


def test_a_search_counts_shared_users_once_for_many_penalties(monkeypatch: pytest.MonkeyPatch) -> None:
    counted: list[float] = []

    def count(history: sp.csr_array, balance: float) -> np.ndarray:
        counted.append(balance)
        return gram(history, balance)

    monkeypatch.setattr("alignrec.aligner.landmarks.ease.gram", count)
    tuned_ease(two_tastes()[2])
    assert counted[0] == 0.0 and all(one != other for one, other in pairwise(counted))


def test_it_is_refused_where_it_is_left_out() -> None:
    assert EASE.max_items == MAX_ITEMS
    with pytest.raises(FeatureError, match="leave it out above 20,000 items"):
        ease(sp.csr_array((1, MAX_ITEMS + 1)), 1.0)
