"""Rows of vectors made comparable, and the largest of many scores."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_rows(matrix: NDArray[np.floating]) -> NDArray[np.float32]:
    """Rows of length 1, float32; rows of zeros stay zeros."""
    # Summed in float64 without a float64 copy, which would be twice the matrix.
    length = np.sqrt(np.einsum("ij,ij->i", matrix, matrix, dtype=np.float64))[:, None]
    unit: NDArray[np.float32] = np.zeros(matrix.shape, dtype=np.float32)
    np.divide(matrix, length, out=unit, where=length > 0, casting="same_kind")
    return unit


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
    if np.isnan(scores).any():
        raise ValueError("a score is NaN: check the features for NaN or infinite values")
    rows, width = scores.shape
    kept = min(k, width)
    out = np.full((rows, k), -1, dtype=np.int64)
    if not rows or not kept:
        return out
    edge = np.partition(scores, width - kept, axis=1)[:, width - kept, None]
    above = scores > edge
    level = scores == edge
    free = kept - above.sum(axis=1, keepdims=True)
    chosen = np.nonzero(above | (level & (np.cumsum(level, axis=1) <= free)))[1].reshape(rows, kept)
    values = np.take_along_axis(scores, chosen, axis=1)
    order = np.argsort(-values, axis=1, kind="stable")
    best = np.take_along_axis(chosen, order, axis=1)
    out[:, :kept] = np.where(np.isneginf(np.take_along_axis(values, order, axis=1)), -1, best)
    return out
