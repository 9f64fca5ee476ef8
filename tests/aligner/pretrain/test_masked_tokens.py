"""The paper's objective: what is masked, how much of it, and what `[CLS]` learns from it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.inputs import Inputs, TokenSequences
from alignrec.aligner.pretrain.batches import gather
from alignrec.aligner.pretrain.cls_encoder import ClsEncoder
from alignrec.aligner.pretrain.masked_tokens import MaskedTokens, hide
from alignrec.aligner.pretrain.objective import choose_one
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.pretrain.settings import PretrainSettings
from alignrec.aligner.pretrain.token_codebook import token_codes
from tests.aligner.pretrain.kinds import TINY, world

PAPER = TINY.model_copy(update={"vector": "cls"})


def objective(inputs: Inputs, settings: PretrainSettings = PAPER) -> MaskedTokens:
    encoder = ClsEncoder.fitted(settings, inputs, seed=0)
    codes = {m: token_codes(source.tokens, settings.codes, 0) for m, source in inputs.items()}
    return MaskedTokens(encoder, codes)


def test_one_modality_of_those_an_item_has_is_masked() -> None:
    valid = {"image": np.arange(3000) >= 500, "text": np.arange(3000) < 2000}
    chosen = choose_one(valid, np.random.default_rng(0))
    assert (chosen["image"] != chosen["text"]).all()
    assert chosen["text"][:500].all() and chosen["image"][2000:].all()
    assert 0.45 < chosen["image"][500:2000].mean() < 0.55
    neither = {m: np.zeros(2, dtype=np.bool_) for m in valid}
    assert not any(marks.any() for marks in choose_one(neither, np.random.default_rng(0)).values())


@given(st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_real_tokens_are_masked_and_at_least_one(share: float, seed: int) -> None:
    mask = np.arange(9) < np.array([0, 1, 5, 9])[:, None]
    marks = hide(mask, np.full(4, share), np.random.default_rng(seed))
    assert not (marks & ~mask).any()
    assert marks.any(axis=1).tolist() == [False, *[share > 0] * 3]


@pytest.mark.parametrize(
    ("kind", "paired", "share"),
    [("image", True, 0.4), ("image", False, 0.4), ("text", True, 0.5), ("text", False, 0.15)],
)
def test_shares_are_those_of_beit_3(kind: str, paired: bool, share: float) -> None:
    assert PAPER.masked_share(kind, paired=paired) == share
    marks = hide(np.ones((50, 100), dtype=np.bool_), np.full(50, share), np.random.default_rng(0))
    assert marks.mean() == pytest.approx(share, abs=0.03)


def test_the_last_layer_of_cls_gets_a_gradient() -> None:
    """Masked tokens alone would leave what comes out of `[CLS]` as it was drawn."""
    inputs = world()
    model = objective(inputs)
    batch = gather(inputs, np.arange(16), most=8)
    losses = model.losses(batch, np.arange(16), np.random.default_rng(0))
    assert set(losses) == {"image", "text", "rebuilt", "image tokens", "text tokens"}
    last = model.encoder.mmenc.blocks[-1].feed.ways["cls"]
    for name, expected in (("image tokens", False), ("image", True), ("rebuilt", True)):
        model.zero_grad()
        losses[name].backward(retain_graph=True)
        grads = [p.grad for p in last.parameters()]
        assert any(g is not None and bool(g.any()) for g in grads) is expected, name
    model.zero_grad()
    torch.stack(list(losses.values())).sum().backward()
    assert model.encoder.mask.grad is not None and model.encoder.mask.grad.any()


def test_what_is_masked_never_reaches_a_prediction() -> None:
    """Other content at masked places, and another pooled vector, change what is asked for alone."""
    inputs = world()
    model = objective(inputs).eval()
    text = inputs["text"]
    tokens = TokenSequences(-text.tokens.values, text.tokens.offsets)
    found = []
    for source in (text, replace(text, pooled=-text.pooled, tokens=tokens)):
        batch = gather({**inputs, "text": source}, np.arange(8), most=3)
        hidden = {m: s.mask & (m == "text") for m, s in batch.items()}
        seen = {m: torch.cat([(s.valid & (m != "text"))[:, None], s.mask], 1) for m, s in batch.items()}
        found.append(model.encoder.states(batch, model.encoder.targets(batch), seen, hidden))
    (cls, states), (other, others) = found
    torch.testing.assert_close(cls, other, rtol=0, atol=0)
    torch.testing.assert_close(states, others, rtol=0, atol=0)
    assert states["text"].shape == (8, 3, 16) and not torch.allclose(
        states["text"][:, 0], states["text"][:, 1]
    )


def test_training_tells_masked_tokens_and_vectors_better_than_no_training() -> None:
    settings = PAPER.model_copy(
        update={"epochs": 15, "learning_rate": 5e-3, "dropout": 0.0, "patience": 15, "width": 32}
    )
    curves = pretrain(world(160), settings, seed=0).curves
    last = curves[-1]
    assert last["held out image tokens"] < 0.8 and last["held out text tokens"] < 0.8, "1 is chance"
    assert last["held out image"] < 0.5 and last["held out text"] < 0.5, "1 is knowing nothing"


def test_a_direction_left_out_is_not_masked() -> None:
    inputs = world()
    model = objective(inputs, PAPER.model_copy(update={"predict": ("image",)}))
    losses = model.losses(gather(inputs, np.arange(16), most=8), np.arange(16), np.random.default_rng(0))
    assert "image tokens" in losses and "text tokens" not in losses and "text" not in losses
