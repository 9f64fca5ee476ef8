"""The popularity term: how many users took an item, beside how well it fits the one who is asked about.

A cosine says nothing of how often an item is taken at all. Where interactions are few, that is much of what
can be known. So the logarithm of an item's number of users, times a weight that validation chooses, is
added to the cosine. As a last column of the vectors it is part of their dot product, wherever that is
taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.train.validation import Floats, choose_weight


@dataclass(frozen=True, eq=False)
class PopularityTerm:
    """What is added to the score of each item, whoever is asked about.

    Attributes:
        weight: of the logarithm of one more than an item's number of users; cosines are between -1 and 1.
        item: float32 `[items]`, less its mean over the items, which changes no ranking and leaves the cosines
            of items with one another to their taste.
        untouched: the term of an item that no user took.
    """

    weight: float
    item: Floats
    untouched: float

    @classmethod
    def of(cls, history: sp.csr_array, weight: float) -> PopularityTerm:
        """The term of a training history, CSR of ones `[users, items]`."""
        logarithm = np.log1p(np.asarray(history.sum(axis=0), dtype=np.float64).ravel())
        mean = float(logarithm.mean())
        return cls(weight, (weight * (logarithm - mean)).astype(np.float32), -weight * mean)

    def columns(self, user: Floats, item: Floats) -> tuple[Floats, Floats]:
        """Vectors, `[users, d]` and `[items, d]`, with one more column, whose products are the term."""
        ones = np.ones((len(user), 1), dtype=np.float32)
        return np.hstack([user, ones]), np.hstack([item, self.item[:, None]])


def choose(user: Floats, item: Floats, split: Split, weights: Sequence[float]) -> PopularityTerm:
    """The term of the weight that has the best validation NDCG@100; of equals, the smallest.

    Args:
        user: float32 `[users, d]`, vectors of length 1 or 0.
        item: float32 `[items, d]`, likewise.
        split: the history that is counted, and validation.
        weights: to choose from, at least one.
    """
    history = split.matrix(TRAIN)

    def ranked(weight: float) -> tuple[Floats, Floats]:
        return PopularityTerm.of(history, weight).columns(user, item)

    return PopularityTerm.of(history, choose_weight(ranked, split, weights))
