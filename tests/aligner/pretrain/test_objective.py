"""What an item hides, and that a hidden side is not looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from alignrec.aligner.inputs import ModalityInput, TokenSequences
from alignrec.aligner.pretrain.batches import gather
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.objective import MaskThenPredict, choose_hidden
from tests.aligner.pretrain.kinds import TINY, world


def test_what_an_item_hides() -> None:
    n = 3000
    valid = {"image": np.ones(n, dtype=np.bool_), "text": np.arange(n) >= 1000}
    hidden = choose_hidden(valid, np.random.default_rng(0))
    assert set(hidden[:1000]) == {"half"}, "the only modality is never hidden as a whole"
    assert {"image", "text", "half"} == set(hidden[1000:])


@pytest.mark.parametrize("hide", ["image", "text"])
def test_the_hidden_side_never_reaches_the_prediction(hide: str) -> None:
    """Other content on the hidden side changes the target alone, never `[CLS]`."""
    inputs = world()
    settings = TINY.model_copy(update={"code_weight": 0.0})
    model = MaskThenPredict(MultimodalEncoder.fitted(settings, inputs, seed=0), {}).eval()
    seen: list[torch.Tensor] = []
    model.encoder.mmenc.register_forward_hook(lambda _m, _i, cls: seen.append(cls))
    items = np.arange(8)
    other = {**inputs, hide: world(seed=9)[hide]}
    for source in (inputs, other):
        batch = gather(source, items, most=3)
        model(batch, np.full(8, hide), np.random.default_rng(0))
    torch.testing.assert_close(seen[0], seen[1])


def test_a_hidden_side_is_not_looked_at() -> None:
    inputs = world()
    encoder = MultimodalEncoder.fitted(TINY, inputs, 1).eval()
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(0))
    model = MaskThenPredict(encoder, {}).eval()
    model.encoder.settings = TINY.model_copy(update={"code_weight": 0.0})
    seen: list[torch.Tensor] = []
    encoder.mmenc.register_forward_hook(lambda _module, _inputs, cls: seen.append(cls))
    blind = {**inputs, "image": ModalityInput(-inputs["image"].pooled, *_rest(inputs["image"]))}
    for source in (inputs, blind):
        batch = gather(source, np.arange(8), most=8)
        model(batch, np.full(8, "image"), np.random.default_rng(0))
    torch.testing.assert_close(seen[0], seen[1], rtol=0, atol=0)


def _rest(source: ModalityInput) -> tuple[Any, TokenSequences]:
    return source.valid, TokenSequences(-source.tokens.values, source.tokens.offsets)
