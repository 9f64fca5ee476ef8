"""Tokens of a frozen extractor on their way into MMEnc."""

from __future__ import annotations

import numpy as np
import torch

from alignrec.aligner.pretrain.batches import gather
from alignrec.aligner.pretrain.front_end import FrontEnd
from tests.aligner.pretrain.kinds import world


def test_the_pooled_vector_comes_first_and_places_are_added_to_whatever_stands_there() -> None:
    torch.manual_seed(0)
    batch = gather(world(), np.arange(4), most=3)["text"]
    front = FrontEnd(token_dim=8, pooled_dim=5, components=2, width=16, place=0.5)
    front.components.fit(batch.tokens.reshape(-1, 8).numpy(), whiten=0)
    pooled = torch.randn(4, 5)
    tokens = front(batch, pooled)
    assert tokens.shape == (4, 4, 16)
    torch.testing.assert_close(tokens[:, 0], front.pooled(pooled * 5**0.5))
    torch.testing.assert_close(tokens[:, 1:], front.content(batch) + front.place(batch.position))
    blank = front(batch, pooled, torch.zeros(4, 3, 16))
    torch.testing.assert_close(blank[:, 1:], front.place(batch.position))
    torch.testing.assert_close(blank[:, 0], tokens[:, 0])
