"""Rank correlation of what features reach before training and after it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.foretelling import rank_correlation


def _evaluations(values: np.ndarray) -> list[Evaluation]:
    users = np.arange(len(values))
    return [Evaluation(users, {("recall", 5): column}) for column in values.T]


def test_it_is_spearmans_with_bounds_from_the_same_users() -> None:
    rng = np.random.default_rng(3)
    quality = np.array([0.1, 0.2, 0.25, 0.3, 0.5, 0.55])
    before = quality + rng.normal(scale=0.5, size=(80, 6))
    after = quality[::-1] / 2 + rng.normal(scale=0.5, size=(80, 6))
    found = rank_correlation(_evaluations(before), _evaluations(after), "recall", 5)
    assert found.mean == pytest.approx(spearmanr(before.mean(axis=0), after.mean(axis=0)).statistic)
    draws = np.random.default_rng(0).integers(80, size=(2000, 80))
    slow = [spearmanr(before[rows].mean(axis=0), after[rows].mean(axis=0)).statistic for rows in draws]
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(slow, [0.025, 0.975])))
    assert found.low < found.mean < found.high


def test_equal_sets_share_a_rank_and_without_order_there_is_no_correlation() -> None:
    before = np.tile([0.1, 0.1, 0.2, 0.3], (5, 1))
    after = np.tile([0.4, 0.3, 0.5, 0.9], (5, 1))
    found = rank_correlation(_evaluations(before), _evaluations(after), "recall", 5)
    assert found.mean == pytest.approx(spearmanr(before[0], after[0]).statistic)
    flat = np.full((5, 4), 0.25)
    none = rank_correlation(_evaluations(flat), _evaluations(after), "recall", 5)
    assert (none.mean, none.low, none.high) == (0, 0, 0)


@pytest.mark.parametrize("shape", [(5, 3), (0, 4)])
def test_too_little_to_order_is_refused(shape: tuple[int, int]) -> None:
    sets = _evaluations(np.zeros(shape))
    with pytest.raises(ValueError, match="needs users, and 4 sets or more"):
        rank_correlation(sets, sets, "recall", 5)
