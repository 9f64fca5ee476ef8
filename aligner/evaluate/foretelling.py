"""Do the numbers before training foretell those after it? Rank correlation over sets of features."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from alignrec.aligner.evaluate.bootstrap import Interval, resampled_means
from alignrec.aligner.evaluate.evaluation import Evaluation

Floats = NDArray[np.float64]
# Fewer sets than this have next to no order to compare.
FEWEST = 4


def rank_correlation(
    before: Sequence[Evaluation], after: Sequence[Evaluation], metric: str, k: int, *, level: float = 0.95
) -> Interval:
    """Spearman's rank correlation of what sets of features reach before training and after it.

    Its interval is over users, who are drawn anew for both numbers of all sets at once: how sure the order is
    for other users, and not for other sets.

    Args:
        before: for each set, what it reached before training.
        after: for each, in the same order, what was reached by training on it; all of the same users.
        metric: a name of `metrics.METRICS`.
        k: cut-off.
        level: share of the resampled correlations between the bounds.

    Returns:
        Numbers in [-1, 1].

    Raises:
        ValueError: fewer than `FEWEST` sets, or no user.
    """
    if len(before) != len(after) or len(before) < FEWEST or not len(before[0].users):
        raise ValueError(f"a rank correlation needs users, and {FEWEST} sets or more, each measured twice")
    columns = np.stack([one.values[metric, k] for one in (*before, *after)], axis=1)
    resampled = _spearman(resampled_means(columns))
    low, high = np.quantile(resampled, [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(_spearman(columns.mean(axis=0)[None])[0]), float(low), float(high))


def _spearman(means: Floats) -> Floats:
    """The correlation of the ranks of each row's first half with those of its second; 0 without order."""
    halves = [rankdata(half, axis=1) for half in np.split(means, 2, axis=1)]
    first, second = (half - half.mean(axis=1, keepdims=True) for half in halves)
    size = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    product: Floats = (first * second).sum(axis=1)
    found: Floats = np.divide(product, size, out=np.zeros_like(product), where=size > 0)
    return found
