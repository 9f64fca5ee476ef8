"""Steps and batches of pixels, codes and word pieces."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.finetune.items import (
    PAIR_LABELS,
    PAIR_PATCHES,
    PAIR_WORDS,
    PATCHES,
    PICTURE_LABELS,
    TEXT_LABELS,
    WORDS,
    Batch,
    PixelItems,
    Step,
)
from tests.aligner.finetune.tiny_model import GRID, SIDE, tiny_items

ROWS = np.arange(40)


def test_only_what_an_item_has_is_hidden() -> None:
    items = tiny_items()
    step = Step.drawn(items, ROWS, np.random.default_rng(0))
    both = items.picture[ROWS] & items.text[ROWS]
    assert (step.hidden[PATCHES].sum(axis=1) == 6 * items.picture[ROWS]).all()  # 40% of 16
    assert (step.hidden[PAIR_PATCHES].sum(axis=1) == 6 * both).all()
    assert not step.hidden[WORDS][~items.text[ROWS]].any()
    assert not step.hidden[PAIR_WORDS][~both].any() and step.hidden[PAIR_WORDS].any()
    assert step.totals == {name: marks.sum() for name, marks in step.hidden.items()} | {
        PICTURE_LABELS: both.sum(),
        TEXT_LABELS: items.text[ROWS].sum(),
        PAIR_LABELS: both.sum(),
    }
    assert (step.hidden[PATCHES] != step.hidden[PAIR_PATCHES]).any()


@pytest.mark.parametrize("count", [1, 3, 40, 99])
def test_parts_are_the_step_and_know_its_totals(count: int) -> None:
    step = Step.drawn(tiny_items(), ROWS, np.random.default_rng(0))
    parts = list(step.parts(count))
    assert len(parts) == min(count, 40)
    assert np.array_equal(np.concatenate([part.rows for part in parts]), ROWS)
    for name, marks in step.hidden.items():
        assert np.array_equal(np.concatenate([part.hidden[name] for part in parts]), marks)
    assert all(part.totals == step.totals for part in parts)


def test_a_batch_keeps_pictures_as_bytes_and_marks_padding() -> None:
    items = tiny_items()
    step = Step.drawn(items, ROWS, np.random.default_rng(0))
    batch = Batch.read(items, step, torch.device("cpu"))
    assert batch.pixels.dtype == torch.uint8 and batch.pixels.shape == (40, SIDE, SIDE, 3)
    assert batch.codes.shape == (40, GRID * GRID)
    for row, real, ids in zip(ROWS, batch.real, batch.ids, strict=True):
        assert ids[real].tolist() == items.texts[row] and not ids[~real].any()
    assert batch.text.tolist() == items.text[ROWS].tolist()


def test_parts_of_different_lengths_are_refused() -> None:
    items = tiny_items()
    with pytest.raises(FeatureError, match="got 96, 96 and 95"):
        PixelItems(items.pixels, items.codes, items.picture, items.texts[1:])
