"""Methods on other features than their own: which, against what, and what order before training says."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.evaluate.baselines import baselines
from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.scorers import zero_shot
from alignrec.aligner.evaluate.top_k import evaluate_all
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.registry import LANDMARKS
from alignrec.aligner.train.training import train
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.stage import Plan, StageContext
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.evaluate.feature_comparison import (
    RANK_CORRELATION,
    compared_pairs,
    compared_pieces,
    foretold,
)
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.stage import STAGE
from alignrec.pipeline.stages.evaluate.trainings import Trainings
from tests.pipeline.small_models import write_quick_catalogue

SETTINGS = ["export.sets=null", "evaluate.k=[5]", "train={dim: 8, epochs: 2, device: cpu}"]
CENTRED = "centred concatenation"


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    folder = tmp_path_factory.mktemp("comparison")
    config = write_quick_catalogue(folder, items=24, users=30)
    run(config, "train", SETTINGS, Console(quiet=True))
    context = StageContext(
        load_config(config, SETTINGS), STAGE, {}, plan=Plan({}), console=Console(quiet=True)
    )
    sources = FeatureSources(context, {}, folder)
    return Trainings(sources, context.run.split())


def test_a_method_learns_from_the_features_that_its_row_names(trainings: Trainings) -> None:
    pieces = {piece.subject: piece for piece in compared_pieces(trainings)}
    inputs, split = trainings.context.run.inputs(), trainings.cut.split
    untrained = baselines(inputs)
    users = np.arange(split.users)

    def scores(name: str) -> np.ndarray:
        return pieces[name].fit(pieces[name].checkpoint, "title")(users)

    matrix = untrained[CENTRED]
    done = train(matrix, matrix.any(axis=1), split, trainings.context.config.train, 1)
    assert np.allclose(scores(f"aligned on {CENTRED}"), done.user @ done.aligned.T, atol=1e-6)

    given = (matrix, matrix.any(axis=1))
    data = LandmarkInput(split, *given, seed=1, epochs=2, device="cpu")
    assert np.allclose(scores(f"VBPR on {CENTRED}"), LANDMARKS["VBPR"].fit(data)(users), atol=1e-6)
    multimodal = trainings.context.run.features("multimodal")
    for name, features in ((CENTRED, given), ("multimodal", (multimodal.matrix, multimodal.valid))):
        data = LandmarkInput(split, modalities={name: features}, seed=1, epochs=2, device="cpu")
        assert np.allclose(scores(f"BM3 on {name}"), LANDMARKS["BM3"].fit(data)(users), atol=1e-6)


def test_others_stand_on_ours_against_themselves_on_simpler_features(trainings: Trainings) -> None:
    pairs = compared_pairs(trainings)
    names = {piece.subject for piece in compared_pieces(trainings)} | LANDMARKS.keys()
    assert len(pairs) == 2 * 8 and {name for pair in pairs for name in pair} <= names
    assert {("VBPR", "VBPR on concatenation"), ("VBPR", f"VBPR on {CENTRED}")} <= set(pairs)
    ours = "FREEDOM on multimodal"
    assert {(ours, "FREEDOM"), (ours, f"FREEDOM on {CENTRED}")} <= set(pairs)


def test_the_order_before_training_is_compared_with_that_after_it(trainings: Trainings) -> None:
    evaluator = Evaluator(trainings.cut.split, (5,))
    features = {**trainings.sources.own(), **trainings.sources.untrained}

    def reached(sign: float) -> dict[str, object]:
        # What is recommended after training is what zero-shot recommends, or its opposite.
        found = {}
        for name, matrix in features.items():
            scorer = zero_shot(matrix, evaluator.history)
            subject = "aligned" if name == "multimodal" else f"aligned on {name}"
            found[subject] = evaluate_all(lambda users, scorer=scorer: sign * scorer(users), evaluator)
        return found

    records = foretold(reached(1.0), evaluator, trainings.sources)
    assert [(r.protocol, r.metric, r.k, r.against) for r in records] == [
        ("zero-shot", RANK_CORRELATION, 5, "aligned"),
        ("item-cf", RANK_CORRELATION, 5, "aligned"),
    ]
    assert records[0].value == records[0].low == records[0].high == pytest.approx(1)
    assert foretold(reached(-1.0), evaluator, trainings.sources)[0].value < 1
    constant = evaluate_all(dot_scorer(np.ones((30, 1)), np.arange(24.0)[:, None]), evaluator)
    assert foretold(dict.fromkeys(reached(1.0), constant), evaluator, trainings.sources)[0].value == 0
