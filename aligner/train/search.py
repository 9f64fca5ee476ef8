"""A small search over training's settings: what to try next, given what was tried."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
from pydantic import ValidationError

from alignrec.aligner.train.settings import TrainSettings

# Values worth trying, for both forms of the objective and for one of them.
SPACE: dict[str, tuple[float, ...]] = {
    "dim": (64, 128, 256, 512),
    "members": (1, 2, 4, 8),
    "learning_rate": (0.0005, 0.001, 0.002, 0.004, 0.008),
    "batch_size": (1024, 2048, 4096, 8192),
    "layers": (1, 2, 3),
    "neighbours": (5, 10, 20),
    "cca_weight": (0.0, 0.003, 0.01, 0.03, 0.1),
    "similarity_weight": (0.0, 0.03, 0.1, 0.3, 1.0),
    "l2_weight": (0.0, 1e-5, 1e-4, 1e-3),
}
SPACE_OF_FORM: dict[str, dict[str, tuple[float, ...]]] = {
    "softmax": {"temperature": (0.1, 0.15, 0.2, 0.3), "balance": (0.0, 0.5, 1.0)},
    "bpr": {"uia_weight": (0.0, 0.03, 0.1, 0.3)},
}
_CHANGES = 2  # settings that a trial changes, at most
_DRAWS = 200  # until the neighbourhood counts as searched


def space(settings: TrainSettings) -> dict[str, tuple[float, ...]]:
    """The values that a search around `settings` draws from, by setting."""
    return SPACE | SPACE_OF_FORM[settings.loss]


def propose(
    best: TrainSettings, tried: Collection[TrainSettings], rng: np.random.Generator
) -> TrainSettings | None:
    """A trial near the best so far: one or two of its settings changed, at random.

    Args:
        best: settings to start from.
        tried: is not proposed again.
        rng: draws what changes, and to what.

    Returns:
        Settings; None where hardly anything near is left untried.
    """
    values = space(best)
    for _ in range(_DRAWS):
        names = rng.choice(sorted(values), size=rng.integers(1, _CHANGES + 1), replace=False)
        changes = {name: values[name][rng.integers(len(values[name]))] for name in names}
        try:
            trial = TrainSettings.model_validate(best.model_dump() | changes)
        except ValidationError:  # values that do not go together
            continue
        if trial not in tried:
            return trial
    return None
