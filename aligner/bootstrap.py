"""How sure a mean over users is: percentile bootstrap (Efron and Tibshirani, 1993, chapter 13)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_CELLS = 1 << 22


@dataclass(frozen=True)
class Interval:
    """A mean and the bounds it has under resampling of users."""

    mean: float
    low: float
    high: float


def interval(
    values: NDArray[np.float64],
    against: NDArray[np.float64] | None = None,
    *,
    level: float = 0.95,
    samples: int = 2000,
    seed: int = 0,
) -> Interval:
    """The mean's interval; with `against`, that of the mean paired difference.

    Args:
        values: float64 `[n]`, one a user.
        against: float64 `[n]`, the same users under what is compared with.
        level: share of the resampled means between the bounds.
        samples: number of resamplings.
        seed: of the resampling.

    Raises:
        ValueError: no user, lengths that differ, or a level outside (0, 1).
    """
    if not len(values) or (against is not None and against.shape != values.shape) or not 0 < level < 1:
        raise ValueError("an interval needs users, pairs of equal length, and a level between 0 and 1")
    difference = values if against is None else values - against
    rng = np.random.default_rng(seed)
    n = len(difference)
    block = max(1, _CELLS // n)
    means = [
        difference[rng.integers(n, size=(min(block, samples - start), n))].mean(axis=1)
        for start in range(0, samples, block)
    ]
    low, high = np.quantile(np.concatenate(means), [(1 - level) / 2, (1 + level) / 2])
    return Interval(float(difference.mean()), float(low), float(high))
