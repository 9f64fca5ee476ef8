"""EASE with content: features are further users, and tell of items that few users know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.splits import TRAIN, VALID, Split
from alignrec.aligner.landmarks.content_ease import CONTENT_EASE, add_content
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.ease import EASE, gram, solve
from alignrec.aligner.landmarks.search import validation_recall
from alignrec.core.vectors import unit_rows
from tests.aligner.histories import ITEMS, seeds, world
from tests.aligner.landmarks.trainings import INPUT


@given(seeds)
def test_every_dimension_is_one_more_user(seed: int) -> None:
    """The weights are those of the interactions with weighted feature columns below them as rows."""
    _, history = world(seed)
    features = unit_rows(np.random.default_rng(seed).normal(size=(ITEMS, 3)).astype(np.float32))
    shared = gram(sp.csr_array(history))
    weight = 0.5 * np.diag(shared).mean()
    stacked = np.vstack([history, np.sqrt(weight) * features.T])
    wanted = solve(stacked.T @ stacked, 2.0)
    assert solve(add_content(shared, features, 0.5), 2.0) == pytest.approx(wanted, abs=1e-5)


def test_content_helps_where_interactions_are_few_and_shuffled_content_does_not() -> None:
    """Ten tastes of twenty items; every user has three of one taste, the last of which is to be found."""
    rng = np.random.default_rng(0)
    users, taste = 150, np.arange(200) % 10
    own = [np.flatnonzero(taste == user % 10) for user in range(users)]
    item = np.concatenate([rng.choice(items, 3, replace=False) for items in own])
    label = np.tile(np.array([TRAIN, TRAIN, VALID], dtype=np.uint8), users)
    split = Split(users, len(taste), np.repeat(np.arange(users), 3), item, label)
    features, valid = np.eye(10, dtype=np.float32)[taste], np.ones(len(taste), dtype=np.bool_)
    shuffled = features[rng.permutation(len(features))]
    helped = validation_recall(CONTENT_EASE.fit(LandmarkInput(split, features, valid)), split)
    spoilt = validation_recall(CONTENT_EASE.fit(LandmarkInput(split, shuffled, valid)), split)
    without = validation_recall(EASE.fit(LandmarkInput(split)), split)
    assert helped > 0.9
    assert max(spoilt, without) < 0.6


def test_it_needs_features() -> None:
    assert CONTENT_EASE.needs_features
    with pytest.raises(FeatureError, match="there are none"):
        CONTENT_EASE.fit(replace(INPUT, features=None, valid=None))
