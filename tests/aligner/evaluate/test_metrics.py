"""Metrics equal to their definitions, computed slowly, one user at a time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.evaluate.metrics import hits, measure
from alignrec.core.metrics import METRICS

WIDTH = 8


def slow(ranking: list[int], positives: set[int], k: int) -> dict[str, float]:
    found = [place for place, item in enumerate(ranking[:k], 1) if item in positives]
    reachable = range(1, min(k, len(positives)) + 1)
    return {
        "recall": len(found) / len(positives),
        "precision": len(found) / k,
        "ndcg": sum(1 / math.log2(p + 1) for p in found) / sum(1 / math.log2(p + 1) for p in reachable),
        "map": sum(i / p for i, p in enumerate(found, 1)) / len(reachable),
        "hit": float(bool(found)),
        "mrr": 1 / found[0] if found else 0.0,
    }


users = st.lists(
    st.tuples(st.permutations(range(12)), st.sets(st.integers(0, 11), min_size=1)), min_size=1, max_size=6
)


@given(users, st.integers(1, WIDTH))
def test_equal_to_a_slow_reference(cases: list[tuple[list[int], set[int]]], k: int) -> None:
    ranking = np.array([order[:WIDTH] for order, _ in cases])
    truth = np.zeros((len(cases), 12))
    for row, (_, positives) in enumerate(cases):
        truth[row, list(positives)] = 1
    matrix = sp.csr_array(truth)
    count = np.diff(matrix.indptr).astype(np.int64)
    values = measure(hits(ranking, np.arange(len(cases)), matrix), count, [k])
    assert {name for name, _ in values} == set(METRICS)
    for row, (order, positives) in enumerate(cases):
        expected = slow(list(order[:WIDTH]), positives, k)
        for name, value in expected.items():
            assert values[name, k][row] == pytest.approx(value, abs=1e-12), name


def test_worked_by_hand() -> None:
    # Hits at places 1 and 3 of 4, three positives.
    values = measure(np.array([[True, False, True, False]]), np.array([3]), [2, 4])
    assert values["recall", 2][0] == pytest.approx(1 / 3)
    assert values["ndcg", 4][0] == pytest.approx((1 + 0.5) / (1 + 1 / math.log2(3) + 0.5))
    assert values["map", 4][0] == pytest.approx((1 + 2 / 3) / 3)
    assert values["precision", 4][0] == 0.5


def test_padding_is_never_a_hit() -> None:
    positives = sp.csr_array(np.array([[0.0, 1.0], [1.0, 1.0]]))
    found = hits(np.array([[1, -1], [-1, -1]]), np.array([0, 1]), positives)
    assert found.tolist() == [[True, False], [False, False]]


@pytest.mark.parametrize(("ks", "count"), [([0], [1]), ([3], [1]), ([1], [0])])
def test_meaningless_requests_are_refused(ks: list[int], count: list[int]) -> None:
    with pytest.raises(ValueError, match=r"cut-offs|without positives"):
        measure(np.zeros((1, 2), dtype=np.bool_), np.array(count), ks)
