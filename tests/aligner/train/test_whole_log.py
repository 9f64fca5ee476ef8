"""Training on all interactions: every part counts, none says when to stop, and what was chosen holds."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import Trained, train
from alignrec.aligner.train.whole_log import Chosen
from tests.aligner.worlds import two_tastes

SMALL = {"dim": 8, "members": 2, "batch_size": 32, "epochs": 9, "patience": 1, "learning_rate": 0.02}
SETTINGS = TrainSettings.model_validate(SMALL | {"device": "cpu", "popularity": (0.0, 0.25)})


def on_all(epochs: int = 4, popularity: float = 0.25, *, mixed: int | None = None, **hooks: Any) -> Trained:
    """Trained on everything; `mixed` draws the parts anew."""
    features, valid, split = two_tastes()
    if mixed is not None:
        label = np.random.default_rng(mixed).permutation(split.label)
        split = replace(split, label=label)
    return train(features, valid, split, SETTINGS, 1, chosen=Chosen(epochs, popularity), **hooks)


def same(a: Trained, b: Trained) -> bool:
    return all(
        getattr(a, name).tobytes() == getattr(b, name).tobytes() for name in ("aligned", "content", "user")
    )


def test_which_part_an_interaction_was_in_makes_no_difference() -> None:
    features, valid, split = two_tastes()
    assert same(on_all(), on_all(mixed=1))
    assert not same(on_all(), train(features, valid, split, SETTINGS, 1))


def test_it_trains_as_long_as_was_chosen_and_judges_nothing() -> None:
    done = on_all(epochs=4)
    assert (len(done.fit.curves), done.fit.best_epoch) == (4, 4)
    assert done.validation == {} and done.fit.validation == {}
    assert {name.split(".")[0] for curve in done.fit.curves for name in curve} == {"loss"}
    assert not same(done, on_all(epochs=5))


def test_items_and_users_of_every_part_are_trained() -> None:
    split = two_tastes()[2]
    done = on_all()
    np.testing.assert_array_equal(done.origin, np.bincount(split.item, minlength=split.items) > 0)
    assert done.user[np.unique(split.user), :-1].any(axis=1).all()


def test_popularity_counts_everything_at_the_chosen_weight() -> None:
    split, done = two_tastes()[2], on_all(popularity=0.25)
    logarithm = np.log1p(np.bincount(split.item, minlength=split.items))
    expected = 0.25 * (logarithm - logarithm[done.origin].mean())
    assert done.popularity == 0.25
    assert done.aligned[done.origin, -1] == pytest.approx(expected[done.origin], abs=1e-6)
    none = on_all(popularity=0.0)
    assert none.aligned.shape == done.aligned.shape and not none.aligned[:, -1].any()


def test_killed_after_an_epoch_it_ends_in_the_same_bytes() -> None:
    states: list[bytes] = []

    def save(state: dict[str, Any]) -> None:
        stored = io.BytesIO()
        torch.save(state, stored)
        states.append(stored.getvalue())

    whole = on_all(save=save)
    state = torch.load(io.BytesIO(states[1]), weights_only=True)
    assert same(on_all(state=state), whole)


def test_a_log_without_validation_will_do() -> None:
    features, valid, split = two_tastes()
    only = replace(split, label=np.full_like(split.label, TRAIN))
    assert same(train(features, valid, only, SETTINGS, 1, chosen=Chosen(4, 0.25)), on_all())
