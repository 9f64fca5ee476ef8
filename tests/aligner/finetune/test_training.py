"""Fine-tuning: it learns, and stopped anywhere it ends in the same bytes."""

from __future__ import annotations

import copy
import io
from typing import Any

import numpy as np
import pytest
import torch

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.finetune.items import PICTURE_LABELS, Batch, Step
from alignrec.aligner.finetune.settings import FinetuneSettings
from alignrec.aligner.finetune.text_labels import TextLabels, rarity_of
from alignrec.aligner.finetune.training import Finetuned, finetune, rounds_of, state_bytes
from tests.aligner.finetune.tiny_model import TinyModel, tiny_items

QUICK = FinetuneSettings(
    codes=4, steps=40, batch_size=24, save_every=10, learning_rate=1e-2, held_out=0.3, device="cpu"
)


def bytes_of(model: TinyModel) -> bytes:
    buffer = io.BytesIO()
    torch.save(model.state_dict(), buffer)
    return buffer.getvalue()


def test_it_learns_what_a_text_tells_of_patches_and_a_picture_of_words() -> None:
    settings = QUICK.model_copy(update={"steps": 120, "layer_decay": 1.0})
    fit = finetune(TinyModel(), tiny_items(320), settings, seed=1)
    first, last = fit.curves[0], fit.curves[-1]
    assert len(fit.curves) == 12 and all(last[name] < first[name] for name in first)
    assert {name for name in last if name.startswith("held out ")}
    words = [one for one in fit.accuracy if one.what == "pair words"]
    assert words and all(one.low > 0 for one in words)


def test_cls_of_a_picture_learns_to_name_its_text() -> None:
    items = tiny_items(320)
    rows = np.flatnonzero(items.picture & items.text)
    batch = Batch.read(items, Step.drawn(items, rows, np.random.default_rng(0)), torch.device("cpu"))
    labels = TextLabels(rarity_of(items.texts))
    costs = []
    for classify in (True, False):
        model, settings = TinyModel(), QUICK.model_copy(update={"layer_decay": 1.0, "classify": classify})
        fit = finetune(model, items, settings, seed=1)
        assert (f"held out {PICTURE_LABELS}" in fit.curves[-1]) == classify
        with torch.no_grad():
            cls = model.states(batch.pixels, None, None, None, 1)[0][:, 0]
            cost = labels(model.words(cls), batch.ids, batch.real)
        costs.append(cost.item() / len(rows))
    assert costs[0] < 0.5 * costs[1]


@pytest.mark.parametrize(
    "changes",
    [{}, {"accumulate": 3, "aggregate": True, "classify": True}, {"precision": "bfloat16", "classify": True}],
    ids=str,
)
def test_resumed_after_any_round_it_ends_in_the_same_bytes(changes: dict[str, Any]) -> None:
    settings, items = QUICK.model_copy(update={"steps": 20, "save_every": 5, **changes}), tiny_items()
    states: list[dict[str, Any]] = []
    whole = TinyModel()
    fit = finetune(whole, items, settings, 1, save=lambda state: states.append(copy.deepcopy(state)))
    assert len(states) == 4 and all(not state["best"] for state in states)
    for state in states:
        torch.rand(3)  # what else draws makes no difference
        model = TinyModel()
        assert finetune(model, items, settings, 1, state=copy.deepcopy(state)) == fit
        assert bytes_of(model) == bytes_of(whole)


def trained(**changes: Any) -> tuple[TinyModel, Finetuned]:
    model = TinyModel()
    return model, finetune(model, tiny_items(), QUICK.model_copy(update=changes), 1)


def test_accumulated_over_parts_it_learns_as_from_one_big_batch() -> None:
    # Adam divides by gradients near zero, where the order of a sum shows: weights are compared with room.
    (one, fit), (many, other) = (trained(steps=6, save_every=3, accumulate=n) for n in (1, 4))
    for mine, theirs in zip(fit.curves, other.curves, strict=True):
        assert mine == pytest.approx(theirs, rel=1e-4)
    for name, weight in one.state_dict().items():
        assert torch.allclose(weight, many.state_dict()[name], atol=2e-3), name


def test_layer_decay_holds_what_embeds_nearly_still() -> None:
    start = TinyModel()
    moved = []
    for decay in (1.0, 0.1):
        model, _ = trained(steps=10, layer_decay=decay)
        moved.append(float((model.piece.weight - start.piece.weight).detach().abs().max()))
    assert moved[1] < 0.01 * moved[0]


@pytest.mark.parametrize(("steps", "save_every", "rounds"), [(40, 10, 4), (41, 10, 5), (3, 10, 1)])
def test_steps_come_in_whole_rounds(steps: int, save_every: int, rounds: int) -> None:
    settings = QUICK.model_copy(update={"steps": steps, "save_every": save_every})
    assert rounds_of(settings) == rounds == len(finetune(TinyModel(), tiny_items(), settings, 1).curves)


@pytest.mark.parametrize("teach", [False, True])
def test_a_state_is_as_large_as_was_said(teach: bool) -> None:
    settings = QUICK.model_copy(update={"steps": 2, "aggregate": teach, "classify": teach})
    states: list[dict[str, Any]] = []
    model = TinyModel()
    finetune(model, tiny_items(), settings, 1, save=states.append)
    moments = states[0]["optimizer"]["state"].values()
    kept = [
        *states[0]["model"].values(),
        *(one[name] for one in moments for name in ("exp_avg", "exp_avg_sq")),
    ]
    assert sum(tensor.nbytes for tensor in kept) == state_bytes(model, settings)


def test_without_enough_pairs_it_says_what_to_raise() -> None:
    with pytest.raises(FeatureError, match=r"that is 4 of 72.*raise finetune\.held_out"):
        finetune(TinyModel(), tiny_items(), QUICK.model_copy(update={"held_out": 0.05}), 1)
