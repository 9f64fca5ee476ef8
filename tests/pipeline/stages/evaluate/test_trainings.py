"""The trainings of an evaluation on one split: the run's own vectors serve where they are that training's."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.item_cf import ITEM_CF
from alignrec.aligner.landmarks.registry import all_landmarks
from alignrec.aligner.train.ablations import Variant
from alignrec.aligner.train.training import train
from alignrec.core.vocabulary import ALIGNED
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.stage import Plan, StageContext
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.evaluate import trainings
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.stage import STAGE
from alignrec.pipeline.stages.evaluate.trainings import Trainings
from alignrec.pipeline.stages.split import cut_interactions
from tests.pipeline.small_models import write_quick_catalogue

FULL = ["export.sets=null", "train={dim: 8, epochs: 1, device: cpu}", "evaluate.full=true"]
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
    own = Trainings(FeatureSources(context, {}, tmp_path), context.run.split())
    for mark in all_landmarks():
        piece = own.of_landmark(mark, 7)
        assert (piece.subject, piece.seed) == (mark.name, 7 if mark.trained else None)


def test_settings_are_searched_for_on_the_run_s_own_split_alone(
    context: StageContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = replace(context, config=load_config(context.config.run_folder.parent / "alignrec.yaml", FULL))
    own = Trainings(FeatureSources(full, {}, tmp_path / "scratch"), context.run.split())
    seen: list[LandmarkInput] = []

    def fit(data: LandmarkInput) -> Scorer:
        seen.append(data)
        return ITEM_CF.fit(data)

    mark = replace(next(mark for mark in all_landmarks() if mark.name == "BPR-MF"), fit=fit)
    monkeypatch.setattr(trainings, "landmarks_of", lambda *_, **__: [mark])
    (log,) = own.search_logs().values()
    assert log.chosen is not None and len(log.trials) == len(seen) > 1

    config = full.config.model_copy(update={"seed": 2})
    cut = cut_interactions(config, full.run.items(), full.run.interactions())
    other = Trainings(own.sources, cut, 2, tuned=own)
    assert other.search_logs() == other.thinned(0.5).search_logs() == own.search_logs()
    assert len(seen) == len(log.trials)
    piece = other.of_landmark(mark, 1)
    piece.fit(piece.checkpoint, "title")
    assert seen[-1].chosen == log.chosen and seen[-1].split is cut.split
    # What earlier versions measured after a search of that split's own is not taken for this.
    assert own.of_landmark(mark, 1).parts["landmark"] != piece.parts["landmark"]
