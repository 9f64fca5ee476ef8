"""A training's batches, its vectors, and the features that it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from alignrec.aligner.errors import FeatureError, SplitError
from alignrec.aligner.evaluate.splits import TEST, TRAIN, Split
from alignrec.aligner.recommenders.graphs import id_vectors
from alignrec.aligner.recommenders.settings import RecommenderSettings
from alignrec.aligner.recommenders.task import (
    Recommender,
    RecommenderTask,
    Triples,
    distinct,
    fit_recommender,
)
from alignrec.aligner.train.losses import bpr, rows
from alignrec.aligner.train.model import UserItemVectors
from tests.aligner.landmarks.trainings import MODALITIES, SPLIT
from tests.aligner.recommenders.small import CPU

SETTINGS = RecommenderSettings(dim=4, batch_size=50, epochs=2, device="cpu")


class Factors(Recommender):
    """Matrix factorisation, which knows of features only what it was given."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.user, self.item = id_vectors(self.users, 4), id_vectors(self.items, 4)
        self.begun: list[float] = []

    def begin_epoch(self, rng: np.random.Generator) -> None:
        self.begun.append(float(rng.random()))

    def losses(self, batch: Triples) -> dict[str, torch.Tensor]:
        found = [rows(x, n) for x, n in ((self.user, batch.user), (self.item, batch.positive))]
        return {"bpr": bpr(*found, rows(self.item, batch.negative))}

    def represent(self) -> UserItemVectors:
        return UserItemVectors(self.user, self.item)


def task(split: Split = SPLIT) -> RecommenderTask:
    return RecommenderTask(Factors(split.matrix(TRAIN), [], CPU), split, SETTINGS, 1)


def test_an_epoch_has_every_interaction_and_an_item_untouched_by_its_user() -> None:
    history = SPLIT.matrix(TRAIN).toarray()
    batches = list(task().batches(np.random.default_rng(0)))
    assert {len(batch.user) for batch in batches[:-1]} == {50}
    users, positives, negatives = (
        torch.cat([getattr(batch, part) for batch in batches]).numpy()
        for part in ("user", "positive", "negative")
    )
    found = np.zeros_like(history)
    np.add.at(found, (users, positives), 1)
    assert (found == history).all() and not history[users, negatives].any()


def test_a_step_s_users_are_taken_once() -> None:
    assert distinct(torch.tensor([3, 1, 3, 2])).tolist() == [1, 2, 3]


def test_what_an_epoch_holds_fixed_depends_on_its_random_numbers_alone() -> None:
    one = task()
    for seed in (0, 1, 0):
        list(one.batches(np.random.default_rng(seed)))
    assert isinstance(one.model, Factors)
    assert one.model.begun[0] == one.model.begun[2] != one.model.begun[1]


def test_who_has_no_training_interactions_has_zeros() -> None:
    label = np.where(SPLIT.user == 5, TEST, SPLIT.label).astype(np.uint8)
    user, item = task(replace(SPLIT, label=label)).vectors()
    assert not user[5].any() and user[4].any() and item.any(axis=1).all()


def test_a_missing_modality_is_zeros() -> None:
    given: list[np.ndarray] = []

    def build(history: Any, features: Any, device: Any) -> Factors:
        given.extend(features)
        return Factors(history, features, device)

    features, valid = MODALITIES["text"]
    spoilt = np.where(valid[:, None], features, np.float32(np.nan))
    fit_recommender(build, {"text": (spoilt, valid)}, SPLIT, SETTINGS, 1, {})
    assert given[0] == pytest.approx(features) and given[0].dtype == np.float32


def test_features_must_fit_the_split_and_be_finite() -> None:
    features, valid = MODALITIES["image"]
    with pytest.raises(FeatureError, match="image: expected features and marks of 80 items"):
        fit_recommender(Factors, {"image": (features[1:], valid)}, SPLIT, SETTINGS, 1, {})
    with pytest.raises(FeatureError, match="image: features hold NaN"):
        fit_recommender(Factors, {"image": (features * np.nan, valid)}, SPLIT, SETTINGS, 1, {})


def test_without_validation_there_is_no_training() -> None:
    with pytest.raises(SplitError, match="needs interactions in train and in valid"):
        task(replace(SPLIT, label=np.zeros_like(SPLIT.label)))
