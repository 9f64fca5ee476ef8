"""BEiT-3 with the heads of masked prediction."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from alignrec.extractors.backends.beit3.checkpoint import load_checkpoint, save_checkpoint
from alignrec.extractors.backends.beit3.trainable import TrainableBEiT3
from alignrec.extractors.errors import ExtractorError
from tests.extractors.backends.beit3.checkpoints import TINY, random_model

PIXELS = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8))
IDS = torch.tensor([[0, 5, 6, 2], [0, 7, 2, 1]])
REAL = torch.tensor([[True] * 4, [True, True, True, False]])


def test_what_it_writes_is_read_back_with_both_heads(tmp_path: Path) -> None:
    model = TrainableBEiT3(random_model(), 41, 24, seed=1)
    save_checkpoint(model.published, tmp_path / "tuned.safetensors")
    read = load_checkpoint(tmp_path / "tuned.safetensors")
    assert read.beit3.sizes == replace(TINY, words=True, codes=24)
    assert (model.width, model.layers, model.grid) == (64, 2, 4)
    assert all(torch.equal(read.state_dict()[n], w) for n, w in model.published.state_dict().items())


def test_a_head_of_words_that_is_there_stays_and_that_of_codes_is_new() -> None:
    before = random_model(replace(TINY, words=True, codes=24))
    words, codes = before.mlm_head.weight.clone(), before.mim_head.weight.clone()
    model = TrainableBEiT3(before, 41, 24, seed=1)
    assert torch.equal(model.published.mlm_head.weight, words)
    assert not torch.allclose(model.published.mim_head.weight, codes)
    again = TrainableBEiT3(random_model(), 41, 24, seed=1)
    assert torch.equal(again.published.mim_head.weight, model.published.mim_head.weight)


def test_a_head_of_codes_that_are_the_pretrained_ones_stays_where_it_has_as_many() -> None:
    before = random_model(replace(TINY, words=True, codes=24))
    codes = before.mim_head.weight.clone()
    model = TrainableBEiT3(before, 41, 24, seed=1, keep_codes=True)
    assert torch.equal(model.published.mim_head.weight, codes)
    others = TrainableBEiT3(random_model(replace(TINY, codes=24)), 41, 25, seed=1, keep_codes=True)
    assert others.published.mim_head.weight.shape == (25, 64) and others.published.beit3.sizes.codes == 25


def test_states_are_those_of_the_model_and_after_an_inner_layer() -> None:
    model = TrainableBEiT3(random_model(), 41, 24, seed=1)
    scaled = (PIXELS.permute(0, 3, 1, 2).float() - 127.5) / 127.5
    states, early = model.states(PIXELS, IDS, REAL, None, 1)
    assert torch.allclose(states, model.published.beit3(scaled, IDS, REAL), atol=1e-6)
    assert early.shape == states.shape == (2, 1 + 16 + 4, 64)
    _, last = model.states(PIXELS, IDS, REAL, None, 2)
    normed = model.published.beit3.encoder.layer_norm(last, 17)
    assert torch.allclose(normed, states, atol=1e-6) and not torch.allclose(early, last)
    assert model.words(states).shape[-1] == 64 and model.codes(states).shape[-1] == 24


def test_computed_twice_the_gradients_are_the_same() -> None:
    gradients = []
    for recompute in (False, True):
        model = TrainableBEiT3(random_model(), 41, 24, seed=1, recompute=recompute)
        states, early = model.states(PIXELS, IDS, REAL, torch.arange(32).reshape(2, 16) % 3 == 0, 1)
        (states.square().mean() + early.mean()).backward()
        gradients.append({name: p.grad for name, p in model.named_parameters() if p.grad is not None})
    assert gradients[0].keys() == gradients[1].keys()
    assert all(torch.allclose(g, gradients[1][name], atol=1e-7) for name, g in gradients[0].items())


def test_depths_run_from_what_embeds_to_the_heads() -> None:
    model = TrainableBEiT3(random_model(), 41, 24, seed=1)
    depths = {name: model.depth_of(name) for name, _ in model.named_parameters()}
    assert set(depths.values()) == {0, 1, 2, 3}
    assert depths["published.beit3.text_embed.weight"] == 0
    assert depths["published.beit3.vision_embed.mask_token"] == 0
    assert depths["published.beit3.encoder.embed_positions.A.weight"] == 0
    assert depths["published.beit3.encoder.layers.1.ffn.A.fc1.weight"] == 2
    assert depths["published.beit3.encoder.layer_norm.A.weight"] == 3
    assert depths["published.mim_head.weight"] == 3


def test_a_mask_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(ExtractorError, match="has the id 64"):
        TrainableBEiT3(random_model(), 64, 24, seed=1)
