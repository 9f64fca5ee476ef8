"""Validation chooses the best weight, by more than the first twenty, and the smallest of equals."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.evaluate.splits import TRAIN, VALID, Split
from alignrec.aligner.train.validation import CRITERION, Floats, choose_weight, validation_of

# One user with an item of training, and one of forty others to find: the vectors of a weight rank it there.
FOUND = {0.0: 25, 0.1: 3, 0.3: 3, 1.0: 22}
SPLIT = Split(1, 41, np.array([0, 0]), np.array([0, 1]), np.array([TRAIN, VALID], dtype=np.int8))


def ranked(weight: float) -> tuple[Floats, Floats]:
    item = -np.arange(41, dtype=np.float32)[:, None]
    item[1] = -FOUND[weight] - 0.5
    return np.ones((1, 1), dtype=np.float32), item


def test_recall_tells_whether_the_item_is_among_the_first() -> None:
    assert validation_of(*ranked(0.1), SPLIT)[CRITERION] == 1
    assert validation_of(*ranked(1.0), SPLIT)[CRITERION] == 0


@pytest.mark.parametrize(
    ("weights", "chosen"), [((1.0, 0.3, 0.1, 0.0), 0.1), ((1.0, 0.3), 0.3), ((1.0, 0.0), 1.0)]
)
def test_the_best_weight_is_chosen_and_the_smallest_of_equals(
    weights: tuple[float, ...], chosen: float
) -> None:
    assert choose_weight(ranked, SPLIT, weights) == chosen
