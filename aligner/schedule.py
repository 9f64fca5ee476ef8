"""How the learning rate of a training rises and falls."""

from __future__ import annotations

import math


def warmed_up(step: int, total: int, warmup: float) -> float:
    """The share of the full learning rate at a step: a linear rise, then half a cosine down to zero.

    Args:
        step: from 0.
        total: steps of the training.
        warmup: share of the steps in which the rate rises; one at least.
    """
    rise = max(1, round(max(1, total) * warmup))
    if step < rise:
        return (step + 1) / rise
    return 0.5 * (1 + math.cos(math.pi * (step - rise) / max(1, total - rise)))
