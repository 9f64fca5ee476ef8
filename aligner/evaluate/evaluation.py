"""Judge a scorer on one part of a split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.metrics import Values, hits, measure
from alignrec.aligner.evaluate.ranking import Scorer, rank
from alignrec.aligner.evaluate.splits import HIDDEN, TEST, TRAIN, VALID, Split


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics of the users that have something to find.

    Attributes:
        users: int64 `[n]`, ascending.
        values: for each metric and cut-off, float64 `[n]`, in the order of `users`.
    """

    users: NDArray[np.int64]
    values: dict[tuple[str, int], Values]

    def of_users(self, kept: NDArray[np.bool_]) -> Evaluation:
        """The values of the users alone that are marked in `kept`, bool `[users of the split]`."""
        rows = kept[self.users]
        return Evaluation(self.users[rows], {key: values[rows] for key, values in self.values.items()})

    def mean(self, metric: str, k: int) -> float:
        """A metric's mean over users (NaN without users); KeyError for one that was not measured."""
        values = self.values[metric, k]
        return float(values.mean()) if len(values) else float("nan")


def evaluate(
    scorer: Scorer,
    split: Split,
    part: int = TEST,
    ks: Sequence[int] = (10, 20),
    *,
    exclude_valid: bool = False,
) -> Evaluation:
    """Rank the split's candidates but those of the training history, for every user with positives in `part`.

    What is hidden of the history is left out too.

    Args:
        scorer: of `split`'s users and items.
        split: the interactions.
        part: `VALID` or `TEST`.
        ks: cut-offs.
        exclude_valid: at test, leave validation positives out of the ranking too. MMRec does not, and its
            published numbers count them as wrong answers; so the default is False.

    Raises:
        FeatureError: a score is NaN, or the scorer's shape is wrong.
        ValueError: a cut-off is below 1, or there is none.
    """
    positives = split.matrix(part)
    count = np.diff(positives.indptr).astype(np.int64)
    users = np.flatnonzero(count)
    seen = split.matrix(TRAIN, HIDDEN, *([VALID] if exclude_valid and part == TEST else []))
    ranking = rank(scorer, users, max(ks), seen, split.candidates)
    return Evaluation(users, measure(hits(ranking, users, positives), count[users], ks))
