"""Principal axes are those of a singular value decomposition; the largest are those of a stable sort."""

from __future__ import annotations

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from alignrec.core.vectors import largest, principal_axes


def test_principal_axes_are_the_singular_vectors_the_largest_first() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 6)) * np.arange(1, 7)
    rows -= rows.mean(axis=0)
    values, axes = principal_axes(rows.T @ rows, 4)
    _, singular, expected = np.linalg.svd(rows, full_matrices=False)
    expected = expected[:4].T
    np.testing.assert_allclose(values, singular[:4] ** 2)
    np.testing.assert_allclose(axes * np.sign((axes * expected).sum(axis=0)), expected, atol=1e-10)
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(4)] > 0).all(), "the largest entry decides the sign"


def test_there_are_at_most_as_many_axes_as_columns() -> None:
    values, axes = principal_axes(np.eye(3), 5)
    assert values.shape == (3,) and axes.shape == (3, 3)


@given(
    seed=st.integers(0, 2**16),
    shape=st.tuples(st.integers(0, 4), st.integers(0, 300)),
    k=st.integers(1, 12),
    levels=st.sampled_from([1, 3, 50, 10**6]),
    never=st.sampled_from([0.0, 0.3, 0.97, 1.0]),
)
def test_the_largest_are_those_of_a_stable_sort(
    seed: int, shape: tuple[int, int], k: int, levels: int, never: float
) -> None:
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, levels, shape).astype(np.float32)
    scores[rng.random(shape) < never] = -np.inf
    expected = np.full((shape[0], k), -1)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    found = np.take_along_axis(scores, order, axis=1)
    expected[:, : order.shape[1]] = np.where(np.isneginf(found), -1, order)
    np.testing.assert_array_equal(largest(scores, k), expected)


@pytest.mark.parametrize("width", [3, 40, 3000])
def test_a_score_that_is_no_number_is_refused_wherever_it_stands(width: int) -> None:
    for column in (0, width // 2, width - 1):
        scores = np.zeros((2, width), dtype=np.float32)
        scores[1, column] = np.nan
        with pytest.raises(ValueError, match="a score is NaN"):
            largest(scores, 2)
