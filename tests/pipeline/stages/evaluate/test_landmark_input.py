from __future__ import annotations

import numpy as np

from alignrec.aligner.evaluate.splits import Split
from alignrec.aligner.inputs import ModalityInput, TokenSequences
from alignrec.core.features import FeatureSet
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.stages.evaluate.landmark_input import landmark_input


def test_landmarks_keep_to_the_limits_of_the_runs_own_training() -> None:
    catalog = {"items": {"path": "x"}, "interactions": {"path": "y"}}
    config = Config.model_validate({"catalog": catalog, "train": {"epochs": 7, "device": "cpu"}})
    split = Split(1, 2, np.array([0]), np.array([1]), np.array([0], np.uint8))
    features = FeatureSet("multimodal", ["a", "b"], np.ones((2, 3), np.float32), np.array([True, False]))
    given = landmark_input(config, split, 5, features)
    assert (given.split, given.features, given.valid) == (split, features.matrix, features.valid)
    assert (given.seed, given.epochs, given.device, given.hooks) == (5, 7, "cpu", {})
    tokens = TokenSequences(np.zeros((0, 1), np.float32), np.zeros(3, np.int64))
    image = ModalityInput(features.matrix, features.valid, tokens)
    modalities = landmark_input(config, split, 5, inputs={"image": image}).modalities
    assert modalities == {"image": (image.pooled, image.valid)} and given.modalities == {}
    without = landmark_input(config, split, 5)
    assert (without.features, without.valid) == (None, None)
