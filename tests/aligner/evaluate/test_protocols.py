"""Protocols and landmarks equal to dense, slow versions of themselves; intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate import neighbours
from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.neighbours import cooccurrence_neighbours, cosine_neighbours
from alignrec.aligner.evaluate.protocols import centre, concatenate, feature_cf, zero_shot
from alignrec.aligner.landmarks.untrained import cooccurrence_cf, ease, item_cf, popularity
from alignrec.core.vectors import unit_rows

USERS, ITEMS, DIM = 6, 9, 4
seeds = st.integers(0, 10_000)


def world(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features with a row of zeros, and a history with an empty user."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((ITEMS, DIM)).astype(np.float32)
    features[rng.integers(ITEMS)] = 0
    history = (rng.random((USERS, ITEMS)) < 0.4).astype(np.float32)
    history[0] = 0
    return features, history


def slow_cosine(a: np.ndarray, b: np.ndarray) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else 0.0


@given(seeds)
def test_zero_shot_is_the_cosine_with_the_mean_of_the_history(seed: int) -> None:
    features, history = world(seed)
    got = zero_shot(features, sp.csr_array(history))(np.arange(USERS))
    unit = [row / (np.linalg.norm(row) or 1) for row in features]
    for u in range(USERS):
        taken = [unit[i] for i in range(ITEMS) if history[u, i] and features[i].any()]
        taste = np.mean(taken, axis=0) if taken else np.zeros(DIM)
        assert got[u] == pytest.approx([slow_cosine(taste, row) for row in features], abs=1e-5)


def slow_neighbours(similarity: np.ndarray, k: int) -> np.ndarray:
    out = np.zeros_like(similarity)
    for i, row in enumerate(similarity):
        order = sorted((j for j in range(len(row)) if j != i and np.isfinite(row[j])), key=lambda j: -row[j])
        for j in order[:k]:
            out[i, j] = row[j]
    return out


@given(seeds, st.integers(1, 10), st.integers(1, 40))
def test_cosine_neighbours_equal_a_dense_search(seed: int, k: int, cells: int) -> None:
    features, _ = world(seed)
    similarity = np.array([[slow_cosine(a, b) for b in features] for a in features])
    absent = ~features.any(axis=1)
    similarity[absent] = similarity[:, absent] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_CELLS", cells)
        got = cosine_neighbours(features, k)
    assert got.toarray() == pytest.approx(slow_neighbours(similarity, k), abs=1e-5)


@given(seeds, st.integers(1, 40))
def test_cooccurrence_counts_shared_users(seed: int, cells: int) -> None:
    _, history = world(seed)
    expected = np.zeros((ITEMS, ITEMS))
    for a in range(ITEMS):
        for b in range(ITEMS):
            shared, both = (history[:, a] * history[:, b]).sum(), history[:, a].sum() * history[:, b].sum()
            expected[a, b] = shared / np.sqrt(both) if both and a != b else 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_CELLS", cells)
        got = cooccurrence_neighbours(sp.csr_array(history), ITEMS)
    assert got.toarray() == pytest.approx(expected, abs=1e-6)
    for row in range(ITEMS):
        best = cooccurrence_neighbours(sp.csr_array(history), 2).toarray()[row]
        assert np.sort(best)[-2:] == pytest.approx(np.sort(expected[row])[-2:], abs=1e-6)
        assert (best > 0).sum() <= 2


@given(seeds, st.integers(1, 9))
def test_item_cf_sums_over_the_candidates_neighbours(seed: int, k: int) -> None:
    features, history = world(seed)
    similar = cosine_neighbours(features, k).toarray()
    got = feature_cf(features, sp.csr_array(history), k)(np.arange(USERS))
    for u in range(USERS):
        for i in range(ITEMS):
            expected = sum(similar[i, j] for j in range(ITEMS) if history[u, j])
            assert got[u, i] == pytest.approx(expected, abs=1e-5)


def test_landmarks_score_what_they_say() -> None:
    history = sp.csr_array(np.array([[1, 1, 0], [1, 0, 0]], dtype=np.float32))
    assert popularity(history)(np.array([1, 0])).tolist() == [[2, 1, 0], [2, 1, 0]]
    scores = cooccurrence_cf(history)(np.array([1]))
    assert scores[0] == pytest.approx([0, 1 / np.sqrt(2), 0])
    assert item_cf(history, sp.csr_array((3, 3)))(np.array([0])).tolist() == [[0, 0, 0]]


@given(seeds)
def test_centred_rows_have_length_one_and_missing_ones_stay_out(seed: int) -> None:
    features, _ = world(seed)
    valid = features.any(axis=1)
    got = centre(features, valid)
    unit = features[valid] / np.linalg.norm(features[valid], axis=1, keepdims=True)
    rest = unit - unit.mean(axis=0)
    assert got[valid] == pytest.approx(rest / np.linalg.norm(rest, axis=1, keepdims=True), abs=1e-4)
    assert not got[~valid].any()


def test_nothing_to_centre_gives_zeros() -> None:
    assert not centre(np.ones((2, 3)), np.zeros(2, dtype=np.bool_)).any()
    assert unit_rows(np.zeros((2, 3))).tolist() == [[0] * 3] * 2


def test_concatenation_weighs_unit_rows() -> None:
    got = concatenate(np.array([[3.0, 4.0]]), np.array([[0.0, 5.0]]), weights=(0.5, 1.0))
    assert got[0] == pytest.approx([0.3, 0.4, 0, 1])
    with pytest.raises(FeatureError, match="equal rows"):
        concatenate(np.ones((2, 1)), np.ones((3, 1)))


def test_features_that_do_not_fit_are_refused() -> None:
    history = sp.csr_array((2, 3))
    with pytest.raises(FeatureError, match="3 rows"):
        zero_shot(np.ones((2, 2)), history)
    with pytest.raises(FeatureError, match="NaN or infinite"):
        feature_cf(np.array([[1.0], [np.inf], [1.0]]), history)


def test_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [interval(rng.exponential(size=200), samples=400, seed=i) for i in range(200)]
    assert 0.89 <= np.mean([i.low <= 1 <= i.high for i in found]) <= 0.99


def test_pairs_narrow_the_interval() -> None:
    rng = np.random.default_rng(1)
    level, gain = rng.normal(0, 5, size=500), rng.normal(0.3, 0.5, size=500)
    paired = interval(level + gain, level)
    assert 0 < paired.low < paired.mean < paired.high
    assert paired == interval(level + gain, level)
    assert paired.high - paired.low < (interval(level).high - interval(level).low) / 5


@pytest.mark.parametrize(
    ("a", "b", "level"), [([], None, 0.95), ([1.0], [1.0, 2.0], 0.95), ([1.0], None, 1.0)]
)
def test_meaningless_intervals_are_refused(a: list[float], b: list[float] | None, level: float) -> None:
    with pytest.raises(ValueError, match="interval needs"):
        interval(np.array(a), None if b is None else np.array(b), level=level)


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
