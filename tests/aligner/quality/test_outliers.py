"""Items far from every other."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from alignrec.aligner.quality.distances import measure_distances
from alignrec.aligner.quality.outliers import Outlier, outliers


def _found(vectors: np.ndarray) -> list[Outlier]:
    there = np.ones(len(vectors), dtype=np.bool_)
    distances = measure_distances(vectors.astype(np.float32), there, seed=1)
    assert distances is not None
    return outliers(distances)


def _crowd(rng: np.random.Generator) -> np.ndarray:
    """Twelve kinds of items, each with its place."""
    return rng.standard_normal((12, 32))[np.arange(600) % 12] + 0.5 * rng.standard_normal((600, 32))


def test_items_that_nothing_is_near_are_found_the_farthest_first() -> None:
    rng = np.random.default_rng(4)
    vectors = _crowd(rng)
    vectors[[17, 230]] = rng.standard_normal((2, 32))
    found = _found(vectors)
    assert {17, 230} == {outlier.item for outlier in found[:2]}
    assert len(found) < 10, "of normal values four in a thousand are above the fence"
    assert all(a.distance >= b.distance for a, b in pairwise(found))
    assert all(outlier.nearest != outlier.item for outlier in found)


def test_many_copies_do_not_make_the_rest_outliers() -> None:
    vectors = _crowd(np.random.default_rng(5))
    copied = np.vstack([vectors, vectors[:270]])
    assert len(_found(copied)) <= len(_found(vectors)) + 3
