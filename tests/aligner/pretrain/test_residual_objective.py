"""What is learned on top of linear alignment."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.pretrain.batches import gather
from alignrec.aligner.pretrain.residual_encoder import ResidualEncoder
from alignrec.aligner.pretrain.residual_objective import ResidualObjective
from tests.aligner.pretrain.kinds import TINY, world

SETTINGS = TINY.model_copy(update={"vector": "residual"})
ITEMS = np.arange(16)


def objective(settings: object = SETTINGS) -> ResidualObjective:
    inputs = world(lost_text=4)
    encoder = ResidualEncoder.fitted(settings, inputs, seed=0)  # type: ignore[arg-type]
    rng = np.random.default_rng(0)
    errors = {
        m: rng.standard_normal((80, used)).astype(np.float32) * (np.arange(80) >= 4)[:, None]
        for m, used in encoder.linear.consensus.widths.items()
    }
    return ResidualObjective(encoder, errors, np.arange(40, 80))


def test_untrained_it_is_no_better_and_no_worse_than_linear() -> None:
    model = objective().eval()
    held_out = np.arange(40, 80)
    batch = gather(world(lost_text=4), held_out, most=8)
    for way in ("image", "text"):
        (value,) = model.losses(batch, held_out, np.random.default_rng(0), way).values()
        assert float(value.detach()) == pytest.approx(1, abs=1e-5)
    assert model.score({"held out image": 0.75, "held out text": 1.5}) == -1.75, "linear stays where worse"


def test_items_without_another_view_are_not_asked() -> None:
    model = objective()
    batch = gather(world(lost_text=4), ITEMS, most=8)
    assert set(model.losses(batch, ITEMS, np.random.default_rng(0))) == {"image", "text"}
    alone = gather(world(lost_text=4), ITEMS[:4], most=8)
    assert model.losses(alone, ITEMS[:4], np.random.default_rng(0)) == {}
    one = objective(SETTINGS.model_copy(update={"predict": ("text",)}))
    assert set(one.losses(batch, ITEMS, np.random.default_rng(0))) == {"text"}


def test_the_hidden_view_never_reaches_its_own_prediction() -> None:
    model = objective().eval()
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.1, generator=torch.Generator().manual_seed(0))
    found = []
    for source in (world(), {**world(), "text": world(seed=9)["text"]}):
        batch = gather(source, ITEMS, most=8)
        hidden = {m: torch.full((16,), m == "text") for m in batch}
        found.append(model.encoder.residual(batch, hidden)["text"])
    torch.testing.assert_close(found[0], found[1])
    assert found[0].any()
