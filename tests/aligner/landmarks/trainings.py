"""What the tests of trained landmarks share: a small world, and a training that is stopped and goes on."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.trainer import Hooks
from tests.aligner.worlds import two_tastes

FEATURES, VALID, SPLIT = two_tastes()
INPUT = LandmarkInput(SPLIT, FEATURES, VALID, seed=3, epochs=4, device="cpu")


def scores(scorer: Scorer) -> bytes:
    """All scores of all users."""
    return np.asarray(scorer(np.arange(SPLIT.users))).tobytes()


def stopped_and_resumed(landmark: Landmark) -> tuple[bytes, int]:
    """The scores of a training that was stopped after two epochs, and how many epochs were left to it."""
    kept: list[Any] = []
    landmark.fit(replace(INPUT, epochs=2, hooks=Hooks(save=lambda state: kept.append(copy.deepcopy(state)))))
    epochs: list[int] = []
    hooks = Hooks(state=kept[-1], advance=lambda epoch, _: epochs.append(epoch))
    return scores(landmark.fit(replace(INPUT, hooks=hooks))), len(epochs)
