"""What the tests of trained landmarks share: a small world, and a training that is stopped and goes on."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.trainer import Hooks
from tests.aligner.worlds import two_tastes

FEATURES, VALID, SPLIT = two_tastes()
# Two modalities: one of all items that have features, one of fewer dimensions and items.
PART = VALID & (np.arange(len(VALID)) % 5 > 0)
MODALITIES = {
    "image": (FEATURES, VALID),
    "text": (np.where(PART[:, None], FEATURES[:, :4] * np.float32(2), np.float32(0)), PART),
}
INPUT = LandmarkInput(SPLIT, FEATURES, VALID, MODALITIES, seed=3, epochs=4, device="cpu")


def scores(scorer: Scorer) -> bytes:
    """All scores of all users."""
    return np.asarray(scorer(np.arange(SPLIT.users))).tobytes()


def curves(landmark: Landmark, data: LandmarkInput = INPUT) -> list[dict[str, float]]:
    """Losses and validation of a training, epoch by epoch."""
    found: list[dict[str, float]] = []
    landmark.fit(replace(data, hooks=Hooks(advance=lambda _, curve: found.append(curve))))
    return found


def loss(curve: dict[str, float]) -> float:
    """The sum of an epoch's mean losses."""
    return sum(value for name, value in curve.items() if name.startswith("loss."))


def stopped_and_resumed(landmark: Landmark) -> tuple[bytes, int]:
    """The scores of a training that was stopped after two epochs, and how many epochs were left to it."""
    kept: list[Any] = []
    landmark.fit(replace(INPUT, epochs=2, hooks=Hooks(save=lambda state: kept.append(copy.deepcopy(state)))))
    epochs: list[int] = []
    hooks = Hooks(state=kept[-1], advance=lambda epoch, _: epochs.append(epoch))
    return scores(landmark.fit(replace(INPUT, hooks=hooks))), len(epochs)


def check_multimodal(landmark: Landmark) -> None:
    """What every landmark that learns from modalities must do; raises where one does not."""
    longer = replace(INPUT, epochs=12, chosen={"learning_rate": 0.02})
    found = curves(landmark, longer)
    assert loss(found[-1]) < loss(found[0]) - 0.03
    assert max(curve["recall@20"] for curve in found) > 0.55  # a quarter is chance
    whole = scores(landmark.fit(INPUT))
    assert scores(landmark.fit(INPUT)) == whole
    assert stopped_and_resumed(landmark) == (whole, 2)
    for kept in (["text"], ["text", "image", "third"]):
        named = MODALITIES | {"third": (FEATURES[::-1], VALID[::-1])}
        other = replace(INPUT, epochs=1, modalities={name: named[name] for name in kept})
        assert scores(landmark.fit(other)) != whole
    with pytest.raises(FeatureError, match="learns from modalities"):
        landmark.fit(replace(INPUT, modalities={}))
    assert landmark.trained and landmark.needs_modalities and not landmark.quick and landmark.citation
