"""Recommenders that look at no feature: what any feature-based one is measured against."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.neighbours import cooccurrence_neighbours
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN, VALID, Split

EASE_ITEMS = 20_000
PENALTIES = (50.0, 100.0, 200.0, 400.0, 800.0)


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


def ease(history: sp.csr_array, penalty: float) -> Scorer:
    """EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019), its equation 8.

    The closed form needs the inverse of an items x items matrix, so it is refused above 20,000 items.

    Args:
        history: training history, CSR of ones `[users, items]`.
        penalty: added to the diagonal of the Gram matrix, above 0.

    Raises:
        FeatureError: too many items.
    """
    items = history.shape[1]
    if items > EASE_ITEMS:
        raise FeatureError(
            f"EASE inverts a matrix of {items} x {items}: leave it out above {EASE_ITEMS:,} items"
        )
    gram = (history.T @ history).toarray().astype(np.float64)
    gram[np.diag_indices(items)] += penalty
    inverse = np.linalg.inv(gram)
    weights = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(history[users] @ weights)

    return score


def tuned_ease(split: Split) -> Scorer:
    """`ease` with that of `PENALTIES` which has the highest validation Recall@20, the first of equals.

    Args:
        split: training interactions, and validation to choose by.

    Raises:
        FeatureError: too many items.
    """
    history = split.matrix(TRAIN)

    def found(penalty: float) -> float:
        result = evaluate(ease(history, penalty), split, VALID, (20,))
        return result.mean("recall", 20)

    return ease(history, max(PENALTIES, key=found))


def cooccurrence_cf(history: sp.csr_array, k: int = 50) -> Scorer:
    """`item_cf` with the cosine of shared users, the `k` nearest neighbours of each item."""
    return item_cf(history, cooccurrence_neighbours(history, k))
