"""Batches hold every interaction once; negatives are never interacted."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.train.sampling import by_interaction, by_user, negatives, trainable_part
from alignrec.aligner.trainer import epoch_rng

seeds = st.integers(0, 10_000)


def history_of(seed: int, share: float = 0.5) -> sp.csr_array:
    dense = (np.random.default_rng(seed).random((8, 6)) < share).astype(np.float32)
    dense[0] = 0
    dense[:, 0] = 0
    return sp.csr_array(dense)


def pairs_of(history: sp.csr_array) -> set[tuple[int, int]]:
    return set(zip(*(part.tolist() for part in history.nonzero()), strict=True))


def test_users_who_touched_everything_are_not_trained_on() -> None:
    history = sp.csr_array(np.array([[1, 1, 1], [0, 1, 0], [0, 0, 0]], dtype=np.float32))
    part = trainable_part(history)
    assert part.toarray().tolist() == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert part.nnz == 1 and part.dtype == np.float32 and history.nnz == 4


@given(seeds, st.floats(0, 1))
def test_negatives_are_never_interacted(seed: int, share: float) -> None:
    history = history_of(seed, share)
    user = np.random.default_rng(seed).integers(8, size=200)
    drawn = negatives(history, user, epoch_rng(seed, 0))
    assert ((drawn >= 0) & (drawn < 6)).all()
    assert not pairs_of(history) & set(zip(user.tolist(), drawn.tolist(), strict=True))


def test_negatives_are_uniform_among_the_rest() -> None:
    history = sp.csr_array(np.array([[1, 0, 1, 0, 0, 1]], dtype=np.float32))
    drawn = negatives(history, np.zeros(30_000, dtype=np.int64), epoch_rng(1, 0))
    assert np.bincount(drawn, minlength=6) / 30_000 == pytest.approx([0, 1 / 3, 0, 1 / 3, 1 / 3, 0], abs=0.02)


def test_who_touched_everything_gets_no_negative() -> None:
    full = sp.csr_array(np.ones((1, 3), dtype=np.float32))
    with pytest.raises(ValueError, match="every item"):
        negatives(full, np.array([0]), epoch_rng(1, 0))


@given(seeds, st.integers(1, 20))
def test_each_interaction_comes_once(seed: int, size: int) -> None:
    history = history_of(seed)
    for draw in (by_interaction, by_user):
        batches = list(draw(history, size, epoch_rng(seed, 0)))
        seen = [pair for b in batches for pair in zip(b.user.tolist(), b.item.tolist(), strict=True)]
        assert len(seen) == history.nnz
        assert set(seen) == pairs_of(history)
    owners = [set(b.user.tolist()) for b in by_user(history, size, epoch_rng(seed, 0))]
    assert sum(map(len, owners)) == len(set().union(*owners)), "a user's interactions stay together"


def test_an_epoch_depends_on_its_number_alone() -> None:
    def draw(epoch: int) -> list[int]:
        return [i for b in by_interaction(history_of(1), 5, epoch_rng(7, epoch)) for i in b.item.tolist()]

    assert draw(1) == draw(1) != draw(2)
