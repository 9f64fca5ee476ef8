"""The losses, against a slow reference; in parts; and what [CLS] learns from."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
import torch

from alignrec.aligner.finetune.items import (
    PAIR_LABELS,
    PAIR_PATCHES,
    PAIR_WORDS,
    PATCHES,
    PICTURE_LABELS,
    TEXT_LABELS,
    WORDS,
    Batch,
    Step,
)
from alignrec.aligner.finetune.objective import BY_CLS, MaskedPrediction
from alignrec.aligner.finetune.text_labels import TextLabels, rarity_of
from tests.aligner.finetune.tiny_model import GRID, MASK, TinyModel, tiny_items

ITEMS = tiny_items()
STEP = Step.drawn(ITEMS, np.arange(24), np.random.default_rng(3))
CPU = torch.device("cpu")
RARITY = rarity_of(ITEMS.texts)


# What hides patches and word pieces of a picture, a text and a pair, and what [CLS] has to name there.
FORMS = (
    (PATCHES, None, PICTURE_LABELS),
    (None, WORDS, TEXT_LABELS),
    (PAIR_PATCHES, PAIR_WORDS, PAIR_LABELS),
)


def slow_states(model: TinyModel) -> Iterator[tuple[int, str | None, str | None, str, torch.Tensor]]:
    """Place in the step, names and last states of each item in each form that it has, without padding."""
    for place, row in enumerate(STEP.rows):
        ids = ITEMS.texts[row]
        for patches, words, labels in FORMS:
            if (patches and not ITEMS.picture[row]) or (words and not ids):
                continue
            pixels = masked = text = mask = None
            if patches:
                pixels = torch.from_numpy(ITEMS.pixels(np.array([row])))
                masked = torch.from_numpy(STEP.hidden[patches][place])[None]
            if words:
                hidden = STEP.hidden[words][place]
                text = torch.tensor([[MASK if hidden[i] else piece for i, piece in enumerate(ids)]])
                mask = torch.ones_like(text, dtype=torch.bool)
            yield place, patches, words, labels, model.states(pixels, text, mask, masked, 1)[0][0].detach()


def slow_losses(model: TinyModel) -> dict[str, float]:
    """Item by item and place by place."""
    sums = dict.fromkeys((PATCHES, WORDS, PAIR_PATCHES, PAIR_WORDS), 0.0)
    for place, patches, words, _, states in slow_states(model):
        row = STEP.rows[place]
        if patches:
            for patch in np.flatnonzero(STEP.hidden[patches][place]):
                chances = model.codes(states[1 + patch]).softmax(dim=0).detach()
                sums[patches] -= math.log(chances[int(ITEMS.codes[row, patch])])
        if words:
            start = 1 + GRID * GRID if patches else 0
            for at in np.flatnonzero(STEP.hidden[words][place]):
                chances = model.words(states[start + at]).softmax(dim=0).detach()
                sums[words] -= math.log(chances[ITEMS.texts[row][at]])
    return {name: value / STEP.totals[name] for name, value in sums.items()}


def test_the_losses_are_those_of_a_slow_reference() -> None:
    model = TinyModel()
    losses = MaskedPrediction(model).losses(Batch.read(ITEMS, STEP, CPU))
    found = {name: value.item() for name, value in losses.items()}
    assert set(found) == {PATCHES, WORDS, PAIR_PATCHES, PAIR_WORDS}
    assert found == pytest.approx(slow_losses(model), rel=1e-4)


def slow_labels(model: TinyModel) -> dict[str, float]:
    """What naming each text costs [CLS], of a picture, a text and a pair."""
    sums = dict.fromkeys((PICTURE_LABELS, TEXT_LABELS, PAIR_LABELS), 0.0)
    for place, _, _, labels, states in slow_states(model):
        if ids := ITEMS.texts[STEP.rows[place]]:
            chances = model.words(states[0]).log_softmax(dim=0).detach().numpy()
            sums[labels] -= float(RARITY[ids] / RARITY[ids].sum() @ chances[ids])
    return {name: value / STEP.totals[name] for name, value in sums.items()}


def test_labels_add_three_losses_which_are_those_of_a_slow_reference() -> None:
    model = TinyModel()
    losses = MaskedPrediction(model, labels=TextLabels(RARITY)).losses(Batch.read(ITEMS, STEP, CPU))
    found = {name: value.item() for name, value in losses.items()}
    assert found == pytest.approx(slow_losses(model) | slow_labels(model), rel=1e-4)


@pytest.mark.parametrize(("aggregate", "labels"), [(False, False), (True, False), (True, True)])
def test_parts_of_a_step_add_up_to_its_losses_and_gradients(aggregate: bool, labels: bool) -> None:
    gradients, losses = [], []
    for count in (1, 5):
        torch.manual_seed(0)
        taught = TextLabels(RARITY) if labels else None
        objective = MaskedPrediction(TinyModel(), aggregate=aggregate, labels=taught)
        sums: dict[str, float] = {}
        for part in STEP.parts(count):
            found = objective.losses(Batch.read(ITEMS, part, CPU))
            torch.stack(list(found.values())).sum().backward()
            for name, value in found.items():
                sums[name] = sums.get(name, 0.0) + value.item()
        losses.append(sums)
        gradients.append({name: p.grad for name, p in objective.named_parameters()})
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    for name, gradient in gradients[0].items():
        assert torch.allclose(gradient, gradients[1][name], atol=1e-6), name


def cls_gradient(*, aggregate: bool = False, labels: TextLabels | None = None) -> float:
    """The largest gradient that the last layer's state of [CLS] gets."""
    model = TinyModel()
    torch.manual_seed(0)
    objective = MaskedPrediction(model, aggregate=aggregate, labels=labels)
    last: list[torch.Tensor] = []

    def keep(_module: torch.nn.Module, _given: object, states: torch.Tensor) -> None:
        if states.shape[1] > GRID * GRID:  # with a picture
            states.retain_grad()
            last.append(states)

    model.blocks[-1].register_forward_hook(keep)
    losses = objective.losses(Batch.read(ITEMS, STEP, CPU))
    torch.stack(list(losses.values())).sum().backward()
    assert len(last) == 2
    assert all(states.grad[:, 1:].abs().max() > 0 for states in last)
    return max(float(states.grad[:, 0].abs().max()) for states in last)


def test_cls_of_the_last_layer_learns_by_patch_aggregation_and_labels_alone() -> None:
    assert cls_gradient() == 0
    assert cls_gradient(aggregate=True) > 1e-5
    assert cls_gradient(labels=TextLabels(RARITY)) > 1e-5


def test_aggregation_adds_a_loss_for_pictures_alone_and_in_pairs() -> None:
    losses = MaskedPrediction(TinyModel(), aggregate=True).losses(Batch.read(ITEMS, STEP, CPU))
    assert {name for name in losses if name.endswith(BY_CLS)} == {PATCHES + BY_CLS, PAIR_PATCHES + BY_CLS}


def test_items_without_texts_have_no_loss_of_words() -> None:
    alone = Step.drawn(ITEMS, np.arange(1, 24, 8), np.random.default_rng(0))
    losses = MaskedPrediction(TinyModel(), labels=TextLabels(RARITY)).losses(Batch.read(ITEMS, alone, CPU))
    assert set(losses) == {PATCHES}
