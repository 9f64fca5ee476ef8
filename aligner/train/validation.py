"""What validation says of vectors that recommend, and which weight of a term it chooses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import VALID, Split

Floats = NDArray[np.float32]
CRITERION = "recall@20"
# Weights are chosen among few, by few positives: the first hundred places, the earlier the more, tell a
# weight that helps from one that was lucky at the twentieth.
FAR = 100


def validation_of(user: Floats, item: Floats, split: Split) -> dict[str, float]:
    """Recall and NDCG at 10 and 20 of validation, by the dot product of vectors."""
    result = evaluate(dot_scorer(user, item), split, VALID)
    return {f"{metric}@{k}": result.mean(metric, k) for metric in ("recall", "ndcg") for k in (10, 20)}


def choose_weight(
    ranked: Callable[[float], tuple[Floats, Floats]], split: Split, weights: Sequence[float]
) -> float:
    """The weight that has the best validation NDCG@100; of equals, the smallest.

    Args:
        ranked: float32 user and item vectors, `[users, d]` and `[items, d]`, with the term of a weight.
        split: validation.
        weights: to choose from, at least one.
    """

    def ndcg(weight: float) -> float:
        return evaluate(dot_scorer(*ranked(weight)), split, VALID, (FAR,)).mean("ndcg", FAR)

    return max(sorted(weights), key=ndcg)
