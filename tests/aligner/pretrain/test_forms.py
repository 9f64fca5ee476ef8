"""The forms of a multimodal vector, and what they tell of items that they were not fitted on."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.pretrain.forms import Form, forms, held_out_directions, ridge_directions
from alignrec.aligner.pretrain.residual_encoder import ResidualEncoder
from tests.aligner.pretrain.kinds import TINY, world
from tests.aligner.pretrain.test_residual_encoder import one_way

LEARNS = TINY.model_copy(
    update={
        "epochs": 25,
        "batch_size": 64,
        "learning_rate": 1e-2,
        "dropout": 0.0,
        "width": 32,
        "patience": 25,
    }
)


def form_of(name: str) -> Form:
    (found,) = (form for form in forms(LEARNS) if form.name == name)
    return found


def test_every_form_but_the_runs_own_is_there() -> None:
    names = [
        "multimodal without ICA",
        "multimodal in linear form",
        "multimodal in residual form",
        "multimodal on shuffled pairs",
        "multimodal in the paper's form",
    ]
    assert [form.name for form in forms(TINY)] == names
    for vector, own in (("linear", 1), ("residual", 2), ("cls", 4)):
        left = forms(TINY.model_copy(update={"vector": vector}))
        assert [form.name for form in left] == names[:own] + names[own + 1 :]
    assert [form.settings.epochs for form in forms(TINY)] == [0, *[TINY.epochs] * 4]


def test_the_residual_tells_what_linear_cannot_and_shuffled_pairs_teach_nothing() -> None:
    inputs = one_way()
    found = {}
    for name in ("multimodal in linear form", "multimodal in residual form", "multimodal on shuffled pairs"):
        directions = held_out_directions(form_of(name), inputs, seed=0)
        found[name] = {direction.wanted: direction for direction in directions}
        assert {d.given for d in directions} == {"the others"} and {d.items for d in directions} == {80}
    linear, residual, shuffled = found.values()
    assert linear["photo"].explained < 0.05 < 0.5 < residual["photo"].explained
    assert residual["title"] == linear["title"], "what no held-out item shows is not added"
    assert shuffled == linear
    encoder = form_of("multimodal on shuffled pairs").train(inputs, 0)
    assert isinstance(encoder, ResidualEncoder) and encoder.learned == ()


@pytest.mark.parametrize("name", ["multimodal in linear form", "multimodal in the paper's form"])
def test_what_a_form_tells_is_what_it_knows_of_kinds(name: str) -> None:
    found = held_out_directions(form_of(name), world(300), seed=1)
    assert [direction.wanted for direction in found] == ["image", "text"]
    assert all(direction.found_10 > 0.5 and direction.sure for direction in found), "one of 60"
    other = dict(world(300))
    other["text"] = other["text"].rows(np.random.default_rng(1).permutation(300))
    assert all(direction.explained < 0.1 for direction in held_out_directions(form_of(name), other, seed=1))


def test_a_ridge_is_as_strong_as_suits_telling() -> None:
    """The strength of a linear form suits whitening, and shrinks what is told."""
    linear = held_out_directions(form_of("multimodal in linear form"), world(300), seed=1)
    ridge = ridge_directions(world(300), seed=1)
    for ours, its in zip(linear, ridge, strict=True):
        assert (its.wanted, its.items) == (ours.wanted, ours.items)
        assert its.explained > 0.8 and its.explained > ours.explained


def test_of_few_items_nothing_is_said() -> None:
    assert held_out_directions(form_of("multimodal in linear form"), world(80), seed=1) == []
    assert ridge_directions(world(80), seed=1) == []
    alone = {"text": world(300)["text"]}
    assert held_out_directions(form_of("multimodal in linear form"), alone, seed=1) == []
