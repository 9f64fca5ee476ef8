"""Ranking: exact, masked, stable in ties, and never more than a block at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate import ranking
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import rank
from alignrec.aligner.evaluate.splits import TEST, VALID, Split

# Few distinct values, so that ties are the rule.
tables = hnp.arrays(
    np.float32,
    hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=9),
    elements=st.sampled_from([-np.inf, -1.0, 0.0, 1.0, 2.0]),
)


def slow_largest(row: list[float], k: int) -> list[int]:
    order = sorted((j for j, v in enumerate(row) if v > -np.inf), key=lambda j: (-row[j], j))[:k]
    return order + [-1] * (k - len(order))


@given(tables, st.integers(1, 5), st.integers(1, 30), st.integers(0, 9))
def test_rank_leaves_out_history_whatever_the_block(table: np.ndarray, k: int, cells: int, seed: int) -> None:
    seen = np.random.default_rng(seed).random(table.shape) < 0.3
    users = np.flatnonzero(np.random.default_rng(seed).random(len(table)) < 0.8)
    asked: list[int] = []

    def scorer(part: np.ndarray) -> np.ndarray:
        asked.append(len(part))
        return table[part]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ranking, "_CELLS", cells)
        got = rank(scorer, users, k, sp.csr_array(seen.astype(np.float32)))
    masked = np.where(seen, -np.inf, table)[users]
    assert got.tolist() == [slow_largest(row, k) for row in masked.tolist()]
    assert max(asked, default=0) <= max(1, cells // table.shape[1])


def test_rank_does_not_write_into_the_scorers_table() -> None:
    table = np.ones((2, 3), dtype=np.float32)
    rank(lambda users: table, np.arange(2), 1, sp.csr_array(np.eye(2, 3)))
    assert (table == 1).all()


def test_candidates_alone_are_recommended() -> None:
    got = rank(
        lambda u: np.ones((len(u), 3)), np.arange(1), 3, sp.csr_array((1, 3)), np.array([False, True, True])
    )
    assert got.tolist() == [[1, 2, -1]]


def test_a_split_names_who_may_be_recommended() -> None:
    user, item, label = np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([0, 2, 2], dtype=np.uint8)
    split = Split(1, 4, user, item, label, np.array([True, False, True, False]))

    def scorer(users: np.ndarray) -> np.ndarray:
        return np.tile([4.0, 3.0, 2.0, 1.0], (len(users), 1))

    assert evaluate(scorer, split, TEST, [1]).mean("recall", 1) == 0.5
    assert evaluate(scorer, replace(split, candidates=None), TEST, [2]).mean("recall", 2) == 1


def test_nan_and_wrong_shapes_are_refused() -> None:
    with pytest.raises(FeatureError, match="NaN"):
        rank(lambda u: np.full((len(u), 3), np.nan), np.arange(1), 1, sp.csr_array((1, 3)))
    with pytest.raises(FeatureError, match="shape"):
        rank(lambda u: np.zeros((len(u), 2)), np.arange(1), 1, sp.csr_array((1, 3)))


def test_validation_positives_stay_candidates_at_test_unless_told() -> None:
    # One user, three items: 0 in train, 1 in validation, 2 in test; scores favour 0, then 1, then 2.
    split = Split(2, 3, np.array([0, 0, 0]), np.array([0, 1, 2]), np.array([0, 1, 2], dtype=np.uint8))

    def scorer(users: np.ndarray) -> np.ndarray:
        return np.tile([3.0, 2.0, 1.0], (len(users), 1))

    assert evaluate(scorer, split, TEST, [1]).mean("recall", 1) == 0
    assert evaluate(scorer, split, TEST, [1], exclude_valid=True).mean("recall", 1) == 1
    assert evaluate(scorer, split, VALID, [1], exclude_valid=True).mean("recall", 1) == 1
    assert evaluate(scorer, split, TEST, [1]).users.tolist() == [0]


def test_nobody_to_judge_gives_no_number() -> None:
    split = Split(1, 2, np.array([0]), np.array([0]), np.array([0], dtype=np.uint8))
    result = evaluate(lambda u: np.zeros((len(u), 2)), split, TEST, [1])
    assert len(result.users) == 0 and np.isnan(result.mean("recall", 1))
