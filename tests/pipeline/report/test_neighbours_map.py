"""Neighbours and places of items."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.pipeline.report.neighbours_map import GRID, map_neighbours


def test_a_map_finds_the_nearest_and_is_the_same_every_time() -> None:
    rng = np.random.default_rng(3)
    centres = rng.standard_normal((5, 12)) * 4
    matrix = (np.repeat(centres, 12, axis=0) + rng.standard_normal((60, 12))).astype(np.float32)
    valid = np.ones(60, dtype=np.bool_)
    valid[17] = False
    found, again = map_neighbours(matrix, valid, 1), map_neighbours(matrix, valid, 1)
    assert found.neighbours == again.neighbours and np.array_equal(found.places, again.places)
    assert found.neighbours[17] == [] and found.places[17].tolist() == [-1, -1]
    for row in set(range(60)) - {17}:
        assert len(found.neighbours[row]) == 10 and {row, 17}.isdisjoint(found.neighbours[row])
        assert {n // 12 for n in found.neighbours[row]} == {row // 12}
        assert found.cosines[row] == sorted(found.cosines[row], reverse=True)
    inside = found.places[valid]
    assert inside.min() == 0 and inside.max() == GRID


@pytest.mark.parametrize("count", [1, 2, 3])
def test_the_smallest_catalogues_have_a_map(count: int) -> None:
    found = map_neighbours(np.eye(count, 4, dtype=np.float32), np.ones(count, dtype=np.bool_), 1)
    assert found.places.shape == (count, 2) and (found.places >= 0).all()
