"""What is hidden: as much as BEiT-3 hides, and in blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.aligner.finetune.masking import (
    OF_A_PAIR_S_TEXT,
    OF_A_TEXT_ALONE,
    hide_blocks,
    hide_words,
)


@settings(deadline=None, max_examples=60)
@given(rows=st.integers(1, 20), columns=st.integers(1, 20), seed=st.integers(0, 2**32))
def test_two_fifths_of_the_patches_are_hidden_whatever_the_grid(rows: int, columns: int, seed: int) -> None:
    hidden = hide_blocks(rows, columns, np.random.default_rng(seed))
    assert hidden.shape == (rows * columns,) and hidden.dtype == np.bool_
    assert int(hidden.sum()) == round(0.4 * rows * columns)
    if rows * columns >= 50:
        assert abs(hidden.mean() - 0.4) <= 0.01


def test_hidden_patches_lie_together() -> None:
    """A hidden patch's neighbour to the right is hidden far more often than any patch; all places are."""
    rng = np.random.default_rng(0)
    grids = np.stack([hide_blocks(14, 14, rng) for _ in range(400)]).reshape(-1, 14, 14)
    together = (grids[:, :, 1:] & grids[:, :, :-1]).sum() / grids[:, :, :-1].sum()
    assert together > 0.7
    assert grids.mean(axis=0).min() > 0


@settings(deadline=None, max_examples=30)
@given(
    lengths=st.lists(st.integers(2, 60), min_size=1, max_size=40),
    share=st.sampled_from([OF_A_PAIR_S_TEXT, OF_A_TEXT_ALONE]),
    seed=st.integers(0, 2**32),
)
def test_of_each_text_the_share_is_hidden_up_to_one_piece(
    lengths: list[int], share: float, seed: int
) -> None:
    counts, width = np.array(lengths), max(lengths) + 2
    hidden = hide_words(counts, share, np.random.default_rng(seed), width)
    places = np.arange(width)[None, :]
    assert not hidden[(places == 0) | (places >= counts[:, None] - 1)].any()
    assert (np.abs(hidden.sum(axis=1) - share * (counts - 2)) < 1).all()


@pytest.mark.parametrize("share", [OF_A_PAIR_S_TEXT, OF_A_TEXT_ALONE])
@pytest.mark.parametrize("pieces", [1, 3, 9, 30])
def test_over_many_texts_the_share_is_exact_however_short_they_are(share: float, pieces: int) -> None:
    hidden = hide_words(np.full(20_000, pieces + 2), share, np.random.default_rng(1), pieces + 2)
    assert abs(hidden.sum() / (20_000 * pieces) - share) < 0.01
    by_place = hidden[:, 1:-1].mean(axis=0)
    assert np.abs(by_place - share).max() < 0.015
