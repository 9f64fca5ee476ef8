"""EASE against a ridge regression solved item by item; its penalty is chosen on validation."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.splits import TRAIN, VALID
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.ease import EASE, MAX_ITEMS, SETTINGS, ease
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


def test_the_landmark_has_the_penalty_that_is_best_on_validation() -> None:
    split = two_tastes()[2]
    history, users = split.matrix(TRAIN), np.arange(split.users)
    reached = {
        p: evaluate(ease(history, p), split, VALID, (20,)).mean("recall", 20) for p in SETTINGS.penalties
    }
    wanted = ease(history, max(reached, key=lambda p: reached[p]))
    assert np.array_equal(EASE.fit(LandmarkInput(split))(users), wanted(users))


def test_it_is_refused_where_it_is_left_out() -> None:
    assert EASE.max_items == MAX_ITEMS
    with pytest.raises(FeatureError, match="leave it out above 20,000 items"):
        ease(sp.csr_array((1, MAX_ITEMS + 1)), 1.0)
