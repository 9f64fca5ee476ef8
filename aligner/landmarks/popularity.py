"""Popularity: the same list for everybody."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.core.protocols import ZERO_SHOT


def popularity(history: sp.csr_array) -> Scorer:
    """Recommend what most users of the training history, CSR of ones `[users, items]`, took."""
    counts = np.asarray(history.sum(axis=0)).ravel().astype(np.float32)

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.tile(counts, (len(users), 1))

    return score


def fit(data: LandmarkInput) -> Scorer:
    """Count the training interactions of every item."""
    return popularity(data.split.matrix(TRAIN))


POPULARITY = Landmark(
    "popularity",
    "how many users have the item in their training history",
    fit,
    rivals={ZERO_SHOT: "popularity"},
)
