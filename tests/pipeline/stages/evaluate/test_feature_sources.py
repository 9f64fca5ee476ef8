"""What trainings of an evaluation learn from: a training's seed pretrains, shuffles and takes away."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alignrec.aligner.evaluate.baselines import lose
from alignrec.aligner.pretrain.item_encoder import load_encoder
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.train.ablations import OWN, Source
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.stage import Plan, StageContext
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.evaluate import feature_sources
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.stage import STAGE
from alignrec.pipeline.stages.pretrain import ENCODER
from tests.pipeline.small_models import write_quick_catalogue

SETTINGS = ["export.sets=[multimodal]", "pretrain={vector: residual, dim: 8, epochs: 2, device: cpu}"]


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> StageContext:
    config = write_quick_catalogue(tmp_path_factory.mktemp("sources"), items=24, users=30)
    run(config, "pretrain", SETTINGS, Console(quiet=True))
    return StageContext(load_config(config, SETTINGS), STAGE, {}, plan=Plan({}), console=Console(quiet=True))


def test_another_seed_pretrains_anew_and_once(
    context: StageContext, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = FeatureSources(context, {}, tmp_path)
    inputs, settings = context.run.inputs(), context.config.pretrain
    own = context.run.features("multimodal").matrix
    assert np.array_equal(sources.own()["multimodal"], own)
    assert np.array_equal(sources.features(OWN, context.config.seed).matrix, own)
    wanted = pretrain(inputs, settings, 2).encoder.encode(inputs)[0]
    assert np.array_equal(sources.own(2)["multimodal"], wanted)
    untrained = sources.features(Source(pretrained=False), 2).matrix
    assert not np.array_equal(untrained, wanted)

    def never(*_: object, **__: object) -> None:
        raise AssertionError("pretrained again")

    monkeypatch.setattr(feature_sources, "pretrain_resumably", never)
    assert np.array_equal(sources.own(2)["multimodal"], wanted)
    with pytest.raises(AssertionError, match="pretrained again"):
        sources.own(3)


@pytest.mark.parametrize("seed", [1, 2])
def test_a_seed_shuffles_and_takes_away(context: StageContext, tmp_path: Path, seed: int) -> None:
    sources = FeatureSources(context, {}, tmp_path)
    own = sources.features(OWN, seed)
    order = np.random.default_rng(seed).permutation(len(own.ids))
    shuffled = sources.features(Source(shuffled=True), seed)
    assert np.array_equal(shuffled.matrix, own.matrix[order])
    assert np.array_equal(shuffled.valid, own.valid[order])
    inputs = context.run.inputs()
    if seed == context.config.seed:
        encoder = load_encoder(context.run.saved("pretrain", ENCODER))
    else:
        encoder = pretrain(inputs, context.config.pretrain, seed).encoder
    lost = lose(inputs["image"].valid, 0.5, seed)
    left = {**inputs, "image": inputs["image"].without(lost)}
    found = sources.features(Source(lost=("image", 0.5)), seed)
    assert np.array_equal(found.matrix, encoder.encode(left)[0])
    assert not np.array_equal(found.matrix, own.matrix)
