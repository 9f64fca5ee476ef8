"""Full ranking: the best items of every user, a block of users at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError
from alignrec.core.vectors import largest

# User indices int64 [b] to scores [b, items], higher is better.
Scorer = Callable[[NDArray[np.int64]], NDArray[np.floating]]
_CELLS = 1 << 22  # scores held at once: 4 million, whatever the number of items


def dot_scorer(user: NDArray[np.floating], item: NDArray[np.floating]) -> Scorer:
    """Scores by the dot product of `[users, d]` with `[items, d]`."""

    def score(users: NDArray[np.int64]) -> NDArray[np.floating]:
        return np.asarray(user[users] @ item.T)

    return score


def rank(
    scorer: Scorer,
    users: NDArray[np.int64],
    k: int,
    exclude: sp.csr_array,
    candidates: NDArray[np.bool_] | None = None,
) -> NDArray[np.int64]:
    """The `k` best items of each user.

    Args:
        scorer: scores for a block of users; never asked for more than a few million at a time.
        users: int64 `[n]`, rows of `exclude`.
        k: at least 1.
        exclude: CSR `[users, items]`; items that are not recommended, as a rule the training history.
        candidates: bool `[items]`, the items that may be recommended; all by default.

    Returns:
        int64 `[n, k]`, best first, -1 where too few items are left.

    Raises:
        FeatureError: a score is NaN, or the scorer's shape is wrong.
    """
    items = exclude.shape[1]
    block = max(1, _CELLS // max(items, 1))
    out = np.empty((len(users), k), dtype=np.int64)
    for start in range(0, len(users), block):
        part = users[start : start + block]
        scores = np.array(scorer(part))
        if scores.shape != (len(part), items):
            raise FeatureError(f"expected scores of shape {(len(part), items)}, got {scores.shape}")
        history = exclude[part]
        scores[np.repeat(np.arange(len(part)), np.diff(history.indptr)), history.indices] = -np.inf
        if candidates is not None:
            scores[:, ~candidates] = -np.inf
        try:
            out[start : start + block] = largest(scores, k)
        except ValueError as error:
            raise FeatureError(str(error)) from None
    return out
