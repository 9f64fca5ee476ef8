"""Neighbours equal to those of a dense search, whatever the blocks."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner import neighbours
from alignrec.aligner.neighbours import cooccurrence_neighbours, cosine_neighbours
from tests.aligner.histories import ITEMS, seeds, slow_cosine, world


def slow_neighbours(similarity: np.ndarray, k: int) -> np.ndarray:
    out = np.zeros_like(similarity)
    for i, row in enumerate(similarity):
        order = sorted((j for j in range(len(row)) if j != i and np.isfinite(row[j])), key=lambda j: -row[j])
        for j in order[:k]:
            out[i, j] = row[j]
    return out


@given(seeds, st.integers(1, 10), st.integers(1, 40), st.none() | st.sets(st.integers(0, ITEMS - 1)))
def test_cosine_neighbours_equal_a_dense_search(
    seed: int, k: int, cells: int, wanted: set[int] | None
) -> None:
    features, _ = world(seed)
    marks = None if wanted is None else np.isin(np.arange(ITEMS), list(wanted))
    similarity = np.array([[slow_cosine(a, b) for b in features] for a in features])
    absent = ~features.any(axis=1)
    similarity[absent] = similarity[:, absent] = np.nan
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neighbours, "_CELLS", cells)
        got = cosine_neighbours(features, k, marks)
    expected = slow_neighbours(similarity, k)
    if marks is not None:
        expected[~marks] = 0
    assert got.toarray() == pytest.approx(expected, abs=1e-5)


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
