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
    if not len(values) or (against is not None and against.shape != values.shape):
        raise ValueError("an interval needs users, and pairs of equal length")
    difference = values if against is None else values - against
    return intervals(difference[:, None], level=level, samples=samples, seed=seed)[0]


def intervals(
    columns: NDArray[np.float64], *, level: float = 0.95, samples: int = 2000, seed: int = 0
) -> list[Interval]:
    """The intervals of several means at once, under the same resamplings of users.

    Args:
        columns: float64 `[n, m]`, a row a user.
        level: share of the resampled means between the bounds.
        samples: number of resamplings.
        seed: of the resampling.

    Returns:
        An interval for each column.

    Raises:
        ValueError: no user, or a level outside (0, 1).
    """
    if not len(columns) or not 0 < level < 1:
        raise ValueError("an interval needs users, and a level between 0 and 1")
    means = resampled_means(columns, samples, seed)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    middle = columns.mean(axis=0)
    return [Interval(float(m), float(a), float(b)) for m, a, b in zip(middle, low, high, strict=True)]


def resampled_means(columns: NDArray[np.float64], samples: int = 2000, seed: int = 0) -> NDArray[np.float64]:
    """Means of columns over users drawn with replacement, as many as there are.

    Args:
        columns: float64 `[n, m]`, a row a user, at least one.
        samples: number of resamplings.
        seed: of the resampling.

    Returns:
        float64 `[samples, m]`; one resampling is the same for all columns.
    """
    n = len(columns)
    rng = np.random.default_rng(seed)
    block = max(1, _CELLS // n)
    means = []
    for start in range(0, samples, block):
        size = min(block, samples - start)
        drawn = rng.integers(n, size=(size, n)) + n * np.arange(size)[:, None]
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)
        means.append(times @ columns / n)
    return np.concatenate(means)
