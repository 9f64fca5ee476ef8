"""Distances in a measure that means the same under any model."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.quality.distances import measure_distances

RNG = np.random.default_rng(0)
# All vectors share a large part, as those of many models do.
VECTORS = (RNG.standard_normal((300, 24)) + 4).astype(np.float32)
ALL = np.ones(300, dtype=np.bool_)


def test_the_nearest_are_those_of_a_plain_search_and_random_items_lie_at_one() -> None:
    found = measure_distances(VECTORS, ALL, seed=1)
    assert found is not None and found.total == 300 and found.rows.tolist() == list(range(300))
    unit = VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)
    squares = np.square(unit[:, None] - unit[None]).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    order = np.argsort(squares, axis=1)[:, :10]
    assert (found.nearest == order).mean() > 0.999
    random = squares[np.isfinite(squares)].mean()
    np.testing.assert_allclose(found.squares, np.sort(squares, axis=1)[:, :10] / random, rtol=1e-3)


def test_a_large_catalogue_is_compared_by_a_sample_with_all_of_it() -> None:
    found = measure_distances(VECTORS, ALL, seed=1, most=300 * 40)
    assert found is not None and len(found.rows) == 40 and found.total == 300
    whole = measure_distances(VECTORS, ALL, seed=1)
    assert whole is not None
    np.testing.assert_array_equal(found.nearest, whole.nearest[found.rows])
    again = measure_distances(VECTORS, ALL, seed=1, most=300 * 40)
    assert again is not None and (again.rows == found.rows).all()
    other = measure_distances(VECTORS, ALL, seed=2, most=300 * 40)
    assert other is not None and (other.rows != found.rows).any()


def test_items_without_a_vector_are_nobodys_nearest_and_few_items_say_nothing() -> None:
    valid = np.arange(300) % 2 == 0
    found = measure_distances(VECTORS, valid, seed=1)
    assert found is not None and found.total == 150
    assert (found.rows % 2 == 0).all() and (found.nearest % 2 == 0).all()
    assert measure_distances(VECTORS, np.arange(300) < 19, seed=1) is None


def test_where_all_are_equal_every_distance_is_zero() -> None:
    found = measure_distances(np.ones((50, 4), dtype=np.float32), np.ones(50, dtype=np.bool_), seed=1)
    assert found is not None
    assert found.squares.max() == pytest.approx(0)
    assert (found.nearest != found.rows[:, None]).all(), "nobody is near itself"
