"""EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveFloat
from scipy.linalg import cho_factor
from scipy.linalg.lapack import dpotri

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.search import climb, validation_recall

MAX_ITEMS = 20_000


class EaseSettings(BaseModel):
    """Settings of EASE, among which validation chooses."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    penalty: tuple[PositiveFloat, ...] = Field(
        (2, 5, 10, 20, 50, 100, 200, 400, 800, 1600), min_length=1, description="on the diagonal"
    )
    balance: tuple[NonNegativeFloat, ...] = Field(
        (0.0, 0.25, 0.5, 0.75, 1.0),
        min_length=1,
        description="0 counts every interaction alike, 1 every user alike",
    )
    budget: int = Field(12, ge=1, description="settings that are tried at most")


SETTINGS = EaseSettings()
START = {"penalty": 200.0, "balance": 0.0}


def gram(history: sp.csr_array, balance: float = 0.0) -> NDArray[np.float64]:
    """How often two items share a user, each user weighing 1 / degree^balance.

    The weights are so scaled that all interactions together weigh as many as they are, whatever the balance.

    Args:
        history: CSR of ones `[users, items]`.
        balance: from 0, every interaction counts alike, to 1, every user does.

    Returns:
        float64 `[items, items]`.

    Raises:
        FeatureError: there are more than 20,000 items.
    """
    items = history.shape[1]
    if items > MAX_ITEMS:
        raise FeatureError(
            f"EASE inverts a matrix of {items} x {items}: leave it out above {MAX_ITEMS:,} items"
        )
    degree = np.diff(history.indptr).astype(np.float64)
    weight = np.maximum(degree, 1) ** -balance
    weight *= degree.sum() / max((weight * degree).sum(), 1)
    weighted = sp.diags_array(weight) @ history.astype(np.float64)
    return np.asarray((history.T.astype(np.float64) @ weighted).toarray())


def solve(shared: NDArray[np.float64], penalty: float) -> NDArray[np.float32]:
    """The item-to-item weights of the paper's equation 8, without a diagonal.

    Args:
        shared: Gram matrix, float64 `[items, items]`, symmetric and positive semidefinite.
        penalty: added to its diagonal, above 0.

    Returns:
        float32 `[items, items]`.
    """
    regular = shared + penalty * np.eye(len(shared))
    factor, _ = cho_factor(regular, lower=True, overwrite_a=True, check_finite=False)
    lower, _ = dpotri(factor, lower=True, overwrite_c=True)
    inverse = np.tril(lower) + np.tril(lower, -1).T
    weights: NDArray[np.float32] = (-inverse / np.diag(inverse)).astype(np.float32)
    np.fill_diagonal(weights, 0)
    return weights


def linear_scorer(history: sp.csr_array, weights: NDArray[np.float32]) -> Scorer:
    """Scores of the items by those of the history, CSR of ones `[users, items]`, and item-to-item weights."""

    def score(users: NDArray[np.int64]) -> NDArray[np.float32]:
        return np.asarray(history[users] @ weights)

    return score


def ease(history: sp.csr_array, penalty: float, balance: float = 0.0) -> Scorer:
    """The closed form; it needs the inverse of an items x items matrix.

    Args:
        history: training history, CSR of ones `[users, items]`.
        penalty: see `solve`.
        balance: see `gram`.

    Raises:
        FeatureError: too many items.
    """
    return linear_scorer(history, solve(gram(history, balance), penalty))


def tuned_ease(split: Split) -> Scorer:
    """`ease` with the settings of the highest validation Recall@20 that a small search finds.

    Args:
        split: training interactions, and validation to choose by.

    Raises:
        FeatureError: too many items.
    """
    history = split.matrix(TRAIN)
    grid = SETTINGS.model_dump(exclude={"budget"})
    shared = lru_cache(maxsize=1)(partial(gram, history))  # a search tries many penalties on one

    def solved(chosen: Mapping[str, float]) -> Scorer:
        return linear_scorer(history, solve(shared(chosen["balance"]), chosen["penalty"]))

    best = climb(grid, START, lambda chosen: validation_recall(solved(chosen), split), SETTINGS.budget)
    return solved(best)


def fit(data: LandmarkInput) -> Scorer:
    """Search for its settings, and solve it."""
    return tuned_ease(data.split)


EASE = Landmark(
    "EASE",
    "users weighed by their number of interactions; penalty and weight of the best validation Recall@20 of "
    "at most 12 settings; left out above 20,000 items",
    fit,
    citation="Steck, WWW 2019",
    year=2019,
    settings=SETTINGS,
    max_items=MAX_ITEMS,
)
