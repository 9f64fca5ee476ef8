"""The most similar rows: exact whatever the blocks, and never all pairs in memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.core import most_similar as module
from alignrec.core.most_similar import most_similar


@settings(deadline=None)
@given(
    st.integers(0, 9),
    st.integers(1, 30),
    st.integers(1, 9),
    st.integers(0, 9),
    st.booleans(),
    st.integers(0, 99),
)
def test_blocks_change_nothing(m: int, n: int, k: int, seed: int, by_row: bool, lost: int) -> None:
    rng = np.random.default_rng(seed)
    # Few directions, along the axes, so that many cosines are equal and all are exact.
    directions = np.float32([[1, 0], [0, 1], [-1, 0], [0, -1], [0, 0]])
    matrix = directions[rng.integers(0, 5, n)] * np.float32(3)
    valid = rng.random(n) * 100 >= lost
    may = np.flatnonzero(valid)
    own = rng.choice(may, m) if by_row and len(may) else None
    vectors = matrix[own] if own is not None else directions[rng.integers(0, 5, m)]
    rows, cosines = most_similar(vectors, matrix, valid, k, own)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_ROWS", 4)
        patch.setattr(module, "_VECTORS", 3)
        again, same = most_similar(vectors, matrix, valid, k, own)
    np.testing.assert_array_equal(rows, again)
    np.testing.assert_array_equal(cosines, same)
    assert rows.shape == (m, max(0, min(k, len(may) - (own is not None))))
    assert valid[rows].all() and (own is None or not (rows == own[:, None]).any())
    assert (np.diff(cosines, axis=1) <= 0).all()
    ties = np.diff(cosines, axis=1) == 0
    assert (np.diff(rows, axis=1)[ties] > 0).all()


def test_memory_does_not_grow_with_the_pairs() -> None:
    n = 6000
    matrix = np.random.default_rng(0).normal(size=(n, 4)).astype(np.float32)
    tracemalloc.start()
    most_similar(matrix, matrix, np.ones(n, dtype=np.bool_), 3, np.arange(n))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * n * n  # float32 scores of all pairs alone would be as much
