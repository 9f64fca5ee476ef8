"""A small world with two tastes, where content says which item is for whom."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.splits import Split, split_random

USERS, ITEMS, COLD, DIM = 60, 80, 2, 6


def two_tastes(seed: int = 0) -> tuple[NDArray[np.float32], NDArray[np.bool_], Split]:
    """Features, their marks and a split; the last items are cold, and the last of all has no features."""
    rng = np.random.default_rng(seed)
    taste = np.arange(ITEMS) % 2
    likes = rng.random((USERS, ITEMS)) < np.where(np.arange(USERS)[:, None] % 2 == taste, 0.35, 0.02)
    likes[:, ITEMS - COLD :] = False
    user, item = np.nonzero(likes)
    split = Split(USERS, ITEMS, user, item, split_random(user, (0.7, 0.15, 0.15), seed))
    features = rng.standard_normal((ITEMS, DIM)).astype(np.float32) * 0.3
    features[:, 0] += 2 * taste - 1
    valid = np.ones(ITEMS, dtype=np.bool_)
    valid[[3, ITEMS - 1]] = False
    features[~valid] = 0
    return features, valid, split
