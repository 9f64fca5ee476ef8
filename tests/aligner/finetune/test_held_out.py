"""Accuracy on held-out pairs, beside their own content, another item's and none."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from alignrec.aligner.finetune.held_out import NONE, OTHERS, held_out_accuracy
from alignrec.aligner.finetune.items import PAIR_PATCHES, PAIR_WORDS
from tests.aligner.finetune.tiny_model import GRID, TinyModel, tiny_items

ITEMS = tiny_items(240)
PAIRS = np.flatnonzero(ITEMS.picture & ITEMS.text)
CPU = torch.device("cpu")


class Knowing(TinyModel):
    """Tells codes and words by the content beside them alone; without any it says the first."""

    def states(
        self,
        pixels: Tensor | None,
        ids: Tensor | None,
        mask: Tensor | None,
        masked: Tensor | None,
        inner: int,
    ) -> tuple[Tensor, Tensor]:
        states = super().states(pixels, ids, mask, masked, inner)[0]
        colour = torch.zeros(len(states), dtype=torch.int64)
        if masked is not None:
            colour = colour if ids is None else ids[:, 1] - 4
        elif pixels is not None:
            mean = pixels.float().mean(dim=(1, 2))
            colour = torch.where(mean.min(dim=1).values > 200, 3, mean.argmax(dim=1))
        known = torch.zeros(*states.shape[:2], 4)
        known[torch.arange(len(states)), :, colour] = 1
        return known, known

    def codes(self, states: Tensor) -> Tensor:
        return states

    def words(self, states: Tensor) -> Tensor:
        return torch.cat([torch.zeros(len(states), 4), states], dim=1)


def test_a_model_that_knows_by_the_other_content_alone_is_shown_to() -> None:
    found = held_out_accuracy(Knowing().eval(), ITEMS, PAIRS, 1, CPU, batch_size=17)
    assert [(one.what, one.beside) for one in found] == [
        (PAIR_PATCHES, OTHERS),
        (PAIR_PATCHES, NONE),
        (PAIR_WORDS, OTHERS),
        (PAIR_WORDS, NONE),
    ]
    for one in found:
        assert one.own == 1 and one.other == pytest.approx(0.25, abs=0.1)
        assert 0.6 < one.low < one.own - one.other < one.high < 0.9


def test_an_untrained_model_is_shown_to_know_nothing() -> None:
    found = held_out_accuracy(TinyModel().eval(), ITEMS, PAIRS, 1, CPU)
    assert all(one.low <= 0.05 and one.own < 0.6 for one in found)


def test_batches_make_no_difference() -> None:
    whole, parts = (held_out_accuracy(TinyModel().eval(), ITEMS, PAIRS, 2, CPU, size) for size in (999, 7))
    assert whole == parts
    assert GRID == 4
