"""EASE (Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW 2019)."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field, PositiveFloat

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN, VALID, Split
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput

MAX_ITEMS = 20_000


class EaseSettings(BaseModel):
    """Settings of EASE."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    penalties: tuple[PositiveFloat, ...] = Field(
        (50.0, 100.0, 200.0, 400.0, 800.0), min_length=1, description="that validation chooses among"
    )


SETTINGS = EaseSettings()


def ease(history: sp.csr_array, penalty: float) -> Scorer:
    """The closed form of the paper's equation 8.

    It needs the inverse of an items x items matrix, so it is refused above 20,000 items.

    Args:
        history: training history, CSR of ones `[users, items]`.
        penalty: added to the diagonal of the Gram matrix, above 0.

    Raises:
        FeatureError: too many items.
    """
    items = history.shape[1]
    if items > MAX_ITEMS:
        raise FeatureError(
            f"EASE inverts a matrix of {items} x {items}: leave it out above {MAX_ITEMS:,} items"
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
    """`ease` with the penalty of the highest validation Recall@20 among the settings', the first of equals.

    Args:
        split: training interactions, and validation to choose by.

    Raises:
        FeatureError: too many items.
    """
    history = split.matrix(TRAIN)

    def recall(penalty: float) -> float:
        return evaluate(ease(history, penalty), split, VALID, (20,)).mean("recall", 20)

    return ease(history, max(SETTINGS.penalties, key=recall))


def fit(data: LandmarkInput) -> Scorer:
    """Solve it for every penalty, and keep the best on validation."""
    return tuned_ease(data.split)


EASE = Landmark(
    "EASE",
    "of the penalties 50, 100, 200, 400, 800 the best on validation Recall@20; left out above 20,000 items",
    fit,
    citation="Steck, WWW 2019",
    year=2019,
    settings=SETTINGS,
    max_items=MAX_ITEMS,
)
