"""Vectors of several pictures or texts of an item become one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alignrec.pipeline.runner.pooled_parts import pool_parts


def test_several_vectors_are_their_mean_direction_at_their_mean_length() -> None:
    vectors = np.array([[3, 4], [10, 0], [0, 2], [1, 1], [-1, -1]], dtype=np.float32)
    pooled, items = pool_parts(vectors, np.array([7, 2, 2, 4, 4]))
    assert items.tolist() == [7, 2, 4]
    np.testing.assert_array_equal(pooled[0], vectors[0])
    np.testing.assert_allclose(pooled[1], np.full(2, 6 / 2**0.5), rtol=1e-6)
    np.testing.assert_array_equal(pooled[2], [0, 0])  # two that say the opposite say nothing


@given(st.lists(st.integers(1, 3), min_size=0, max_size=6))
def test_an_item_with_one_keeps_its_bytes_and_others_change_nothing(counts: list[int]) -> None:
    items = np.repeat(np.arange(len(counts)), counts)
    vectors = np.random.default_rng(len(items)).normal(size=(len(items), 3)).astype(np.float32)
    pooled, found = pool_parts(vectors, items)
    assert found.tolist() == list(range(len(counts)))
    for item, count in enumerate(counts):
        own = vectors[items == item]
        alone, _ = pool_parts(own, np.zeros(count, dtype=np.int64))
        assert pooled[item].tobytes() == alone[0].tobytes()
        if count == 1:
            assert pooled[item].tobytes() == own[0].tobytes()
