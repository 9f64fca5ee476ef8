"""Which pieces thinned histories have: nothing is trained but at one share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.landmarks.registry import LANDMARKS
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.stage import Plan, StageContext
from alignrec.pipeline.stages.evaluate.feature_sources import FeatureSources
from alignrec.pipeline.stages.evaluate.pieces import Less
from alignrec.pipeline.stages.evaluate.stage import STAGE
from alignrec.pipeline.stages.evaluate.thinned import TRAINED_SHARE, thinned_subjects
from alignrec.pipeline.stages.evaluate.trainings import Trainings
from tests.pipeline.catalogues import write_catalogue

SOLVED = {"popularity": 1, "item-CF": 1, "EASE": 1, "EASE with content": 1}
QUICK = {"aligned": 2, "aligned without content": 2, "LightGCN": 2}
TRAINED = QUICK | {mark.name: 2 for mark in LANDMARKS.values() if mark.trained}


@pytest.fixture(scope="module")
def trainings(tmp_path_factory: pytest.TempPathFactory) -> Trainings:
    folder = tmp_path_factory.mktemp("thinned")
    context = StageContext(load_config(write_catalogue(folder)), STAGE, {}, plan=Plan({}))
    user, item = np.repeat(np.arange(3), 10), np.tile(np.arange(10), 3)
    split = Split(3, 10, user, item, np.where(item < 8, TRAIN, item - 7).astype(np.uint8))
    users, items = ([str(n) for n in range(count)] for count in (3, 10))
    sources = FeatureSources(context, {}, folder)
    return Trainings(sources, CatalogueSplit.of(split, users, items))


@pytest.mark.parametrize(
    ("share", "full", "wanted"),
    [
        (0.1, False, SOLVED),
        (0.1, True, SOLVED),
        (TRAINED_SHARE, False, SOLVED | QUICK),
        (TRAINED_SHARE, True, SOLVED | TRAINED),
    ],
)
def test_only_one_share_is_trained_on(
    trainings: Trainings, share: float, full: bool, wanted: dict[str, int]
) -> None:
    groups = list(thinned_subjects(trainings.thinned(share), (4, 1), full=full))
    assert {pieces[0].subject: len(pieces) for pieces in groups} == wanted
    less = {piece.less for pieces in groups for piece in pieces}
    assert less == {Less("thinned", share)}


def test_another_split_keeps_other_interactions(trainings: Trainings) -> None:
    thin = trainings.thinned(0.5).cut.split
    assert np.bincount(thin.user[thin.label == TRAIN]).tolist() == [4, 4, 4]
    redrawn = replace(trainings, redrawn=7).thinned(0.5).cut.split
    assert redrawn.label.tolist() != thin.label.tolist()
    assert trainings.thinned(0.5).cut.split.label.tolist() == thin.label.tolist()
