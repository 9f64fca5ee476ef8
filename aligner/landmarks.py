"""Recommenders that look at no feature: what any feature-based one is measured against."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.neighbours import cooccurrence_neighbours
from alignrec.aligner.ranking import Scorer


def popularity(history: sp.csr_array) -> Scorer:
    """Recommend what most users of the training history, CSR of ones `[users, items]`, took."""
    counts = np.asarray(history.sum(axis=0)).ravel().astype(np.float32)

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.tile(counts, (len(users), 1))

    return score


def item_cf(history: sp.csr_array, neighbours: sp.csr_array) -> Scorer:
    """Item-based collaborative filtering (Sarwar et al., WWW 2001).

    An item's score is the sum of its similarities to those of its neighbours that the user has.

    Args:
        history: training history, CSR of ones `[users, items]`.
        neighbours: CSR `[items, items]`, row i: the similarities of i's neighbours.
    """
    reversed_neighbours = sp.csr_array(neighbours.T)

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray((history[users] @ reversed_neighbours).toarray(), dtype=np.float32)

    return score


def cooccurrence_cf(history: sp.csr_array, k: int = 50) -> Scorer:
    """`item_cf` with the cosine of shared users, the `k` nearest neighbours of each item."""
    return item_cf(history, cooccurrence_neighbours(history, k))
