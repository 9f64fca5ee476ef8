"""What an evaluation takes, from one in which nothing learned."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alignrec.aligner.evaluate.splits import Split
from alignrec.aligner.landmarks.contract import Landmark
from alignrec.core.features import FeatureSet
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.cost import Bar, Cost, Measured
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate import cost
from alignrec.pipeline.stages.evaluate.stage import STAGE

CATALOG = {"items": {"path": "x", "image": "picture", "text": "{title}"}, "interactions": {"path": "y"}}
RIVALS = {"item-cf": "co-occurrence"}


def landmark(name: str, **more: Any) -> Landmark:
    return Landmark(name, "", lambda _: lambda users: np.zeros((len(users), 2), np.float32), **more)


MARKS = [
    landmark("rival", rivals=RIVALS),
    landmark("untrained"),
    landmark("content", needs_features=True),
    landmark("trained", trained=True),
]
# Two trainings without a part of a modality, and the control; a second an epoch, and three were done.
BARS = [
    Bar(title, [1.0, 2.0, 3.0], [1, 2, 3], 3.0)
    for title in ("evaluate mask-image 0.5", "evaluate mask-text 0.5", "evaluate: aligned without content")
]


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every landmark takes 100 seconds to fit, or 10 and 1 an epoch; trainings have 20 to 30 epochs."""
    split = Split(1, 2, np.array([0]), np.array([1]), np.array([0], np.uint8))
    monkeypatch.setattr(cost, "landmarks_of", lambda *_, **__: MARKS)
    monkeypatch.setattr(cost, "fit_cost", lambda *_: Measured(100.0, 9))
    monkeypatch.setattr(cost, "epochs_seconds", lambda *_: (10.0, 1.0))
    monkeypatch.setattr(cost, "epochs_without_content", lambda *_: (20.0, 30.0))
    features = FeatureSet("multimodal", ["a", "b"], np.ones((2, 3), np.float32), np.ones(2, np.bool_))
    monkeypatch.setattr(RunFolder, "split", lambda _: CatalogueSplit.of(split, ["u"], ["a", "b"]))
    monkeypatch.setattr(RunFolder, "features", lambda *_: features)
    monkeypatch.setattr(RunFolder, "inputs", lambda _: {})


def seconds(done: list[str], bars: list[Bar], **evaluate: Any) -> tuple[float, float]:
    settings = {
        "catalog": CATALOG,
        "evaluate": evaluate,
        "pretrain": {"epochs": 13, "patience": 5},
        "out": "run",
    }
    config = Config.model_validate(settings)
    rehearsal = StageContext(config, STAGE, dict.fromkeys(done))  # type: ignore[arg-type]
    measured = Measured(7, 0, tuple(bars))
    found = cost.evaluation_cost(Cost((7, 7), 3, 0), rehearsal, config, measured)
    assert found.memory == 9
    return found.seconds


def test_landmarks_learn_from_whole_and_from_thinned_histories() -> None:
    found = seconds(["pretrain", "train"], [], masked=[], thinned=[0.1, 0.5])
    assert found == (7 + 3 * 3 * 100 + 10 + 20, 7 + 3 * 3 * 100 + 10 + 30)


def test_without_training_only_those_beside_features_learn_from_whole_histories() -> None:
    assert seconds([], [], masked=[], thinned=[0.1, 0.5]) == (7 + 300 + 200,) * 2


def test_trainings_go_on_until_patience_is_over_or_to_their_last_epoch() -> None:
    found = seconds([], BARS, masked=[0.5], thinned=[])
    assert found == (7 + 2 * 2 + 17 + 100, 7 + 2 * 10 + 27 + 100)
