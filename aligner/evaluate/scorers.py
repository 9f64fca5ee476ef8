"""Scorers that train nothing: how much of what users like can a feature matrix tell by itself?

Zero-shot and item-CF are AlignRec's intermediate protocols (arXiv 2403.12384), for any features, one row an
item; item-CF for neighbours that were found in another way, too.
"""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.neighbours import cosine_neighbours
from alignrec.core.vectors import unit_rows

Floats = NDArray[np.floating]


def zero_shot(features: Floats, history: sp.csr_array) -> Scorer:
    """A user is the mean of the unit vectors of the items in the history; the score is the cosine.

    Args:
        features: float `[items, d]`; rows of zeros count for no user and score 0.
        history: training history, CSR of ones `[users, items]`.

    Raises:
        FeatureError: the rows are not the history's items, or a value is not finite.
    """
    unit = unit_rows(_checked(features, history))

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(unit_rows(history[users] @ unit) @ unit.T)

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


def feature_cf(
    features: Floats, history: sp.csr_array, k: int = 50, candidates: NDArray[np.bool_] | None = None
) -> Scorer:
    """Item-CF with the cosine of features in place of co-occurrence, the `k` nearest neighbours.

    Args:
        features: float `[items, d]`; rows of zeros have no neighbours.
        history: training history, CSR of ones `[users, items]`.
        k: neighbours of each item, among all.
        candidates: bool `[items]`, the items that may be recommended; others score 0, and cost nothing.

    Raises:
        FeatureError: the rows are not the history's items, or a value is not finite.
    """
    return item_cf(history, cosine_neighbours(_checked(features, history), k, candidates))


def _checked(features: Floats, history: sp.csr_array) -> Floats:
    if features.ndim != 2 or len(features) != history.shape[1]:
        raise FeatureError(f"expected features of {history.shape[1]} rows, one an item, got {features.shape}")
    if not np.isfinite(features).all():
        raise FeatureError("features hold NaN or infinite values: give an item without a vector zeros")
    return features
