"""Training by IDs alone, and with features beside: it learns, and goes on where it was stopped."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.landmarks.popularity import popularity
from alignrec.aligner.train.collaborative import collaborative
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.visual_bpr import vbpr
from alignrec.aligner.trainer import Hooks
from tests.aligner.worlds import USERS, two_tastes

FEATURES, VALID, SPLIT = two_tastes()
SMALL = {"dim": 8, "batch_size": 32, "epochs": 20, "learning_rate": 0.02, "uia_weight": 0, "device": "cpu"}
SETTINGS = TrainSettings.paper(**SMALL)


def fit(name: str, settings: TrainSettings = SETTINGS, **hooks: Any) -> Scorer:
    if name == "VBPR":
        return vbpr(FEATURES, VALID, SPLIT, settings, 1, **hooks)
    layers = {"BPR-MF": 0, "LightGCN": 2}[name]
    return collaborative(SPLIT, settings.model_copy(update={"layers": layers}), 1, **hooks)


def scores(scorer: Scorer) -> bytes:
    return np.asarray(scorer(np.arange(USERS))).tobytes()


@pytest.mark.parametrize("name", ["BPR-MF", "LightGCN", "VBPR"])
def test_it_beats_popularity(name: str) -> None:
    floor = evaluate(popularity(SPLIT.matrix(TRAIN)), SPLIT, ks=(10,)).mean("recall", 10)
    assert evaluate(fit(name), SPLIT, ks=(10,)).mean("recall", 10) > floor + 0.05


class _KilledError(Exception):
    pass


@pytest.mark.parametrize("name", ["BPR-MF", "LightGCN", "VBPR"])
def test_stopped_after_any_epoch_it_ends_in_the_same_scores(name: str) -> None:
    short = SETTINGS.model_copy(update={"epochs": 5})
    kept: list[Any] = []

    def save(state: dict[str, Any]) -> None:
        kept.append(copy.deepcopy(state))
        raise _KilledError

    epochs = []
    for _ in range(short.epochs):
        hooks = Hooks(state=kept[-1] if kept else None, save=save)
        with pytest.raises(_KilledError):
            fit(name, short, **hooks)
    done = fit(name, short, state=kept[-1], advance=lambda epoch, _: epochs.append(epoch))
    assert scores(done) == scores(fit(name, short)) and not epochs
