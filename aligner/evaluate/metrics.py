"""Ranking metrics at k, a value a user, by MMRec's definitions.

With the places 1, 2, … of a user's hits in the ranking and t = |the user's positives|:
recall = hits in the first k / t · precision = hits / k · hit = 1 if there is a hit ·
mrr = 1 / place of the first hit · ndcg = sum over hits of 1 / log2(place + 1), divided by the same sum for
places 1 … min(k, t) · map = sum over hits of the precision at their place, divided by min(k, t).
MMRec (arXiv 2302.03497) has the same recall, precision, ndcg and map; hit rate and mrr are the usual ones.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

Values = NDArray[np.float64]


def hits(ranking: NDArray[np.int64], users: NDArray[np.int64], positives: sp.csr_array) -> NDArray[np.bool_]:
    """Which recommended items are positives.

    Args:
        ranking: int64 `[n, k]`, item indices; -1 is never a hit.
        users: int64 `[n]`, the users of the rows.
        positives: CSR `[users, items]`.

    Returns:
        bool `[n, k]`.
    """
    items = positives.shape[1]
    owner = np.repeat(np.arange(positives.shape[0]), np.diff(positives.indptr))
    known = owner * items + positives.indices
    return np.isin(users[:, None] * items + ranking, known) & (ranking >= 0)


def measure(
    hit: NDArray[np.bool_], positives: NDArray[np.int64], ks: Sequence[int]
) -> dict[tuple[str, int], Values]:
    """All metrics of every user.

    Args:
        hit: bool `[n, k]`, best place first.
        positives: int64 `[n]`, number of positives of each user, at least 1.
        ks: cut-offs, none above `k`.

    Returns:
        For each metric and cut-off, float64 `[n]`.

    Raises:
        ValueError: a cut-off is not in `[1, k]`, or a user has no positive.
    """
    width = hit.shape[1]
    if not all(1 <= k <= width for k in ks):
        raise ValueError(f"cut-offs must lie in [1, {width}], got {list(ks)}")
    if len(positives) and positives.min() < 1:
        raise ValueError("a user without positives has no recall: leave such users out")
    place = np.arange(1, width + 1)
    count = np.cumsum(hit, axis=1)
    gain = np.cumsum(hit / np.log2(place + 1), axis=1)
    ideal = np.cumsum(1 / np.log2(place + 1))
    precise = np.cumsum(hit * count / place, axis=1)
    first = np.where(count[:, -1] > 0, hit.argmax(axis=1) + 1, np.inf)
    out: dict[tuple[str, int], Values] = {}
    for k in ks:
        found, reachable = count[:, k - 1], np.minimum(positives, k)
        out["recall", k] = found / positives
        out["precision", k] = found / k
        out["ndcg", k] = gain[:, k - 1] / ideal[reachable - 1]
        out["map", k] = precise[:, k - 1] / reachable
        out["hit", k] = (found > 0).astype(np.float64)
        out["mrr", k] = np.where(first <= k, 1 / first, 0.0)
    return out
