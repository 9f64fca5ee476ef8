"""Rows of vectors made comparable, their principal axes, and the largest of many scores."""

from __future__ import annotations

import math
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Float = TypeVar("Float", np.float32, np.float64)

# Columns; below it, finding the maxima costs more than they spare.
_SHORTEST_RUN = 4


def unit_rows(matrix: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length 1, float32; rows of zeros stay zeros."""
    # Summed in float64 without a float64 copy, which would be twice the matrix.
    length = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))[:, None]
    unit: NDArray[np.float32] = np.zeros(matrix.shape, dtype=np.float32)
    np.divide(matrix, length, out=unit, where=length > 0, casting="same_kind")
    return unit


def principal_axes(scatter: NDArray[Float], most: int) -> tuple[NDArray[Float], NDArray[Float]]:
    """The directions in which centred rows vary most, the largest first.

    They are exact, and cost no more than the square of the width in memory. The sign of a direction is
    arbitrary: here its largest entry is positive, so that equal input gives equal output.

    Args:
        scatter: float `[d, d]`, the products of the rows' columns with one another, or a multiple of them.
        most: directions that are kept.

    Returns:
        The eigenvalues, float `[k]`, with k at most `most`; and the directions, unit columns `[d, k]`.
    """
    values, vectors = np.linalg.eigh(scatter)
    axes = vectors[:, ::-1][:, :most]
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), np.arange(axes.shape[1])])
    return values[::-1][:most], axes


def largest(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """The columns of each row's `k` largest values, best first; of equal values the first column wins.

    Args:
        scores: float `[n, m]`; minus infinity means: never.
        k: at least 1.

    Returns:
        int64 `[n, k]`; -1 where a row has fewer than `k` finite values.

    Raises:
        ValueError: a score is NaN.
    """
    rows, width = scores.shape
    kept = min(k, width)
    out = np.full((rows, k), -1, dtype=np.int64)
    if not rows or not kept:
        return out
    best = _largest(scores, kept)
    out[:, :kept] = np.where(np.isneginf(np.take_along_axis(scores, best, axis=1)), -1, best)
    return out


def _largest(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """`largest` of at least one row, `k` at most its width, columns of minus infinity among them.

    A wide row is looked at once, for the maxima of its runs of columns: its `k` largest values lie in the `k`
    runs of the largest maxima, since each of these has a value that comes before all of any other run's.
    """
    rows, width = scores.shape
    run = math.isqrt(width // k)  # as many maxima are searched then as columns of the runs that are left
    if run < _SHORTEST_RUN:
        return _sorted(scores, k)
    starts = np.arange(0, width, run)
    runs = np.sort(_largest(np.maximum.reduceat(scores, starts, axis=1), k), axis=1)
    columns = (runs[:, :, None] * run + np.arange(run)).reshape(rows, -1)
    beyond = columns >= width  # of the last run; none is ever chosen, as they come after `k` real ones
    columns[beyond] = 0
    values = np.take_along_axis(scores, columns, axis=1)
    values[beyond] = -np.inf
    return np.take_along_axis(columns, _sorted(values, k), axis=1)


def _sorted(scores: NDArray[np.floating], k: int) -> NDArray[np.int64]:
    """`_largest` of narrow rows, for which all values are compared with the `k`-th of their row."""
    if np.isnan(scores).any():
        raise ValueError("a score is NaN: check the features for NaN or infinite values")
    rows, width = scores.shape
    edge = np.partition(scores, width - k, axis=1)[:, width - k, None]
    above = scores > edge
    level = scores == edge
    free = k - above.sum(axis=1, keepdims=True)
    chosen = np.nonzero(above | (level & (np.cumsum(level, axis=1) <= free)))[1].reshape(rows, k)
    values = np.take_along_axis(scores, chosen, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    return np.take_along_axis(chosen, order, axis=1)
