"""The trainings of an evaluation on one split: the run's own vectors serve where they are that training's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alignrec.aligner.landmarks.registry import all_landmarks
from alignrec.aligner.train.ablations import Variant
from alignrec.aligner.train.training import train
from alignrec.core.vocabulary import ALIGNED
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.stage import Plan, StageContext
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.stage import STAGE
from alignrec.pipeline.stages.evaluate.trainings import Trainings
from tests.pipeline.small_models import write_quick_catalogue

SETTINGS = ["export.sets=null", "train={dim: 8, epochs: 2, device: cpu}"]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    config = write_quick_catalogue(tmp_path_factory.mktemp("trainings"), items=24, users=30)
    run(config, "train", SETTINGS, Console(quiet=True))
    return StageContext(load_config(config, SETTINGS), STAGE, {}, plan=Plan({}))


def test_the_run_s_own_training_is_not_repeated_but_on_its_own_split(
    context: StageContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    variant, cut = Variant(ALIGNED, context.config.train), context.run.split()
    users, sources = np.arange(cut.split.users), FeatureSources(context, {}, tmp_path)

    def scores(redrawn: int | None, seed: int) -> np.ndarray:
        piece = Trainings(sources, cut, redrawn).of_variant(variant, seed)
        return piece.fit(piece.checkpoint, "title")(users)

    features = context.run.features("multimodal")
    done = train(features.matrix, features.valid, cut.split, context.config.train, 1)
    assert np.allclose(scores(2, 1), done.user @ done.aligned.T, atol=1e-6)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("trained again")

    monkeypatch.setattr("alignrec.pipeline.stages.evaluate.trainings.train_resumably", never)
    assert np.array_equal(scores(None, 1), context.run.features("user").matrix @ done.aligned.T)
    for redrawn, seed in ((2, 1), (None, 2)):
        with pytest.raises(AssertionError, match="trained again"):
            scores(redrawn, seed)


def test_a_seed_decides_a_landmark_only_where_it_is_trained(context: StageContext, tmp_path: Path) -> None:
    trainings = Trainings(FeatureSources(context, {}, tmp_path), context.run.split())
    for mark in all_landmarks():
        piece = trainings.of_landmark(mark, 7)
        assert (piece.subject, piece.seed) == (mark.name, 7 if mark.trained else None)
