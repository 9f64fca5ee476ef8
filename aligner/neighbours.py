"""Exact nearest neighbours in blocks: never n times n in memory."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.core.vectors import largest, unit_rows

_CELLS = 1 << 22


def cosine_neighbours(
    features: NDArray[np.floating], k: int, wanted: NDArray[np.bool_] | None = None
) -> sp.csr_array:
    """Each row's `k` most similar other rows by cosine.

    Args:
        features: float `[n, d]`; rows of zeros have no neighbours and are nobody's.
        k: at least 1.
        wanted: bool `[n]`, the rows whose neighbours are looked for; all by default.

    Returns:
        float32 CSR `[n, n]`: row i holds the cosines of i's neighbours, at most `k` of them; none where they
        are not wanted.
    """
    unit = unit_rows(features)
    absent: NDArray[np.bool_] = np.logical_not(unit.any(axis=1))
    places = np.arange(len(unit)) if wanted is None else np.flatnonzero(wanted)
    blocks = []
    for rows in _blocks(places, len(unit)):
        scores = unit[rows] @ unit.T
        scores[:, absent] = -np.inf
        scores[absent[rows]] = -np.inf
        blocks.append(_keep(scores, rows, k))
    return _stack(blocks, places, len(unit))


def nearest(new: NDArray[np.float32], index: NDArray[np.float32], k: int) -> sp.csr_array:
    """Each new row's `k` most similar rows of an index.

    Args:
        new: float32 `[m, d]`, unit rows; rows of zeros have no neighbours.
        index: float32 `[n, d]`, unit rows; rows of zeros are nobody's neighbours.
        k: at least 1.

    Returns:
        float32 CSR `[m, n]` of cosines.
    """
    absent: NDArray[np.bool_] = np.logical_not(index.any(axis=1))
    blocks = [sp.csr_array((0, len(index)), dtype=np.float32)]
    size = max(1, _CELLS // max(len(index), 1))
    for start in range(0, len(new), size):
        part = new[start : start + size]
        scores = part @ index.T
        scores[:, absent] = -np.inf
        scores[~part.any(axis=1)] = -np.inf
        blocks.append(_best(scores, k))
    return sp.csr_array(sp.vstack(blocks, format="csr"))


def cooccurrence_neighbours(history: sp.csr_array, k: int, shrinkage: float = 0.0) -> sp.csr_array:
    """Each item's `k` most similar other items by shared users: |a and b| / (sqrt(|a| |b|) + shrinkage).

    Args:
        history: CSR of ones `[users, items]`.
        k: at least 1.
        shrinkage: at least 0; how many users' worth of doubt a similarity of few users meets.

    Returns:
        float32 CSR `[items, items]`: row i holds the similarities of i's neighbours, all above zero.
    """
    columns = sp.csc_array(history)
    root = np.sqrt(np.maximum(np.diff(columns.indptr), 1))
    items = columns.shape[1]
    places = np.arange(items)
    blocks = []
    for rows in _blocks(places, items):
        shared = sp.coo_array(columns[:, rows].T @ columns)
        scores = np.full(shared.shape, -np.inf, dtype=np.float32)
        scores[shared.row, shared.col] = shared.data / (root[rows[shared.row]] * root[shared.col] + shrinkage)
        blocks.append(_keep(scores, rows, k))
    return _stack(blocks, places, items)


def _blocks(places: NDArray[np.int64], n: int) -> list[NDArray[np.int64]]:
    """Places in blocks, as many in each as may meet `n` others at once."""
    size = max(1, _CELLS // max(n, 1))
    return [places[start : start + size] for start in range(0, len(places), size)]


def _keep(scores: NDArray[np.float32], rows: NDArray[np.int64], k: int) -> sp.csr_array:
    """The `k` largest of each row but the item itself, as CSR `[len(rows), n]`."""
    scores[np.arange(len(rows)), rows] = -np.inf
    return _best(scores, k)


def _best(scores: NDArray[np.float32], k: int) -> sp.csr_array:
    """The `k` largest of each row above minus infinity, as CSR of the scores' shape."""
    best = largest(scores, min(k, scores.shape[1]))
    row, place = np.nonzero(best >= 0)
    column = best[row, place]
    return sp.csr_array((scores[row, column], (row, column)), shape=scores.shape)


def _stack(blocks: list[sp.csr_array], places: NDArray[np.int64], n: int) -> sp.csr_array:
    """Blocks of rows at their places in CSR `[n, n]`, whose other rows are empty."""
    if not blocks:
        return sp.csr_array((n, n), dtype=np.float32)
    stacked = sp.csr_array(sp.vstack(blocks, format="csr"))
    stacked.sort_indices()
    ends = np.zeros(n + 1, dtype=stacked.indptr.dtype)
    ends[places + 1] = np.diff(stacked.indptr)
    return sp.csr_array((stacked.data, stacked.indices, np.cumsum(ends, dtype=ends.dtype)), shape=(n, n))
