"""Small random features and histories, and a slow cosine, for tests against dense versions."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

USERS, ITEMS, DIM = 6, 9, 4
seeds = st.integers(0, 10_000)


def world(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features with a row of zeros, and a history with an empty user."""
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((ITEMS, DIM)).astype(np.float32)
    features[rng.integers(ITEMS)] = 0
    history = (rng.random((USERS, ITEMS)) < 0.4).astype(np.float32)
    history[0] = 0
    return features, history


def slow_cosine(a: np.ndarray, b: np.ndarray) -> float:
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else 0.0
