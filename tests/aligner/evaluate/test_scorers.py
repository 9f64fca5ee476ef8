"""Zero-shot and item-CF equal to dense, slow versions of themselves."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.scorers import feature_cf, item_cf, zero_shot
from alignrec.aligner.neighbours import cosine_neighbours
from tests.aligner.histories import DIM, ITEMS, USERS, seeds, slow_cosine, world


@given(seeds)
def test_zero_shot_is_the_cosine_with_the_mean_of_the_history(seed: int) -> None:
    features, history = world(seed)
    got = zero_shot(features, sp.csr_array(history))(np.arange(USERS))
    unit = [row / (np.linalg.norm(row) or 1) for row in features]
    for u in range(USERS):
        taken = [unit[i] for i in range(ITEMS) if history[u, i] and features[i].any()]
        taste = np.mean(taken, axis=0) if taken else np.zeros(DIM)
        assert got[u] == pytest.approx([slow_cosine(taste, row) for row in features], abs=1e-5)


@given(seeds, st.integers(1, 9))
def test_item_cf_sums_over_the_candidates_neighbours(seed: int, k: int) -> None:
    features, history = world(seed)
    similar = cosine_neighbours(features, k).toarray()
    got = feature_cf(features, sp.csr_array(history), k)(np.arange(USERS))
    for u in range(USERS):
        for i in range(ITEMS):
            expected = sum(similar[i, j] for j in range(ITEMS) if history[u, j])
            assert got[u, i] == pytest.approx(expected, abs=1e-5)
    candidates = np.arange(ITEMS) % 2 == 0
    some = feature_cf(features, sp.csr_array(history), k, candidates)(np.arange(USERS))
    assert some == pytest.approx(np.where(candidates, got, 0), abs=1e-5)


def test_features_that_do_not_fit_are_refused() -> None:
    history = sp.csr_array((2, 3))
    with pytest.raises(FeatureError, match="3 rows"):
        zero_shot(np.ones((2, 2)), history)
    with pytest.raises(FeatureError, match="NaN or infinite"):
        feature_cf(np.array([[1.0], [np.inf], [1.0]]), history)


def test_item_cf_takes_neighbours_from_anywhere() -> None:
    history = sp.csr_array(np.array([[1, 1, 0], [1, 0, 0]], dtype=np.float32))
    assert item_cf(history, sp.csr_array((3, 3)))(np.array([0])).tolist() == [[0, 0, 0]]
    similar = sp.csr_array(np.array([[0, 0, 0], [0.5, 0, 0], [0.25, 0.125, 0]], dtype=np.float32))
    assert item_cf(history, similar)(np.array([1, 0])).tolist() == [[0, 0.5, 0.25], [0, 0.5, 0.375]]
