"""The zero-shot term: its columns, what it does to rankings, and which weight validation chooses."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.scorers import zero_shot
from alignrec.aligner.evaluate.splits import TEST, TRAIN, Split, split_random
from alignrec.aligner.train.validation import Floats, choose_weight, validation_of
from alignrec.aligner.train.zero_shot_term import ZeroShotTerm
from alignrec.core.vectors import unit_rows

USERS, ITEMS = 120, 60


def world(telling: float, seed: int = 0) -> tuple[Floats, Floats, Floats, Split]:
    """Vectors, and content that tells as much of what users take as `telling` says, from 0 to 1."""
    rng = np.random.default_rng(seed)
    user, item, content = (
        unit_rows(rng.standard_normal((n, 8)).astype(np.float32)) for n in (USERS, ITEMS, ITEMS)
    )
    taste = unit_rows(rng.standard_normal((USERS, 8)).astype(np.float32))
    liking = 12 * (telling * taste @ content.T + (1 - telling) * user @ item.T)
    taken = np.argsort(-(liking + rng.gumbel(size=liking.shape)), axis=1)[:, :10]
    rows, columns = np.repeat(np.arange(USERS), 10), taken.ravel()
    split = Split(USERS, ITEMS, rows, columns, split_random(rows, (0.6, 0.2, 0.2), seed))
    return user, item, content, split


@given(st.floats(0.01, 2), st.integers(0, 5))
def test_columns_add_the_protocol_s_score_to_every_product(weight: float, seed: int) -> None:
    user, item, content, split = world(0.5, seed)
    history = split.matrix(TRAIN)
    left, right = ZeroShotTerm.of(content, history).columns(user, item, weight)
    assert left.dtype == right.dtype == np.float32
    score = zero_shot(content, history)(np.arange(USERS))
    assert left @ right.T == pytest.approx(user @ item.T + weight * score, abs=1e-5)
    assert right @ right.T == pytest.approx(item @ item.T + weight * content @ content.T, abs=1e-5)


def test_without_weight_there_are_no_columns() -> None:
    user, item, content, split = world(0.5)
    left, right = ZeroShotTerm.of(content, split.matrix(TRAIN)).columns(user, item, 0)
    assert left is user and right is item


def test_users_and_items_without_content_have_zeros() -> None:
    user, item, content, split = world(0.5)
    content[:, :] = 0
    left, right = ZeroShotTerm.of(content, split.matrix(TRAIN)).columns(user, item, 1.0)
    assert not left[:, 8:].any() and not right[:, 8:].any()


def chosen(telling: float, weights: tuple[float, ...], *, blind: bool = False) -> tuple[float, float]:
    """The weight, and what it gains on validation."""
    user, item, content, split = world(telling)
    if blind:
        kept = split.label != TEST
        split = Split(USERS, ITEMS, split.user[kept], split.item[kept], split.label[kept])
    term = ZeroShotTerm.of(content, split.matrix(TRAIN))
    weight = choose_weight(lambda one: term.columns(user, item, one), split, weights)
    with_it, without = (validation_of(*term.columns(user, item, one), split) for one in (weight, 0))
    return weight, with_it["recall@20"] - without["recall@20"]


def test_validation_finds_it_where_content_tells_and_leaves_it_where_it_does_not() -> None:
    weight, gain = chosen(1.0, (0.0, 0.3, 1.0))
    assert weight > 0 and gain > 0.05
    assert chosen(0.0, (3.0, 0.0))[0] == 0


def test_of_equal_weights_the_smallest_is_chosen_and_test_is_not_looked_at() -> None:
    assert chosen(1.0, (0.0, 0.3, 1.0), blind=True) == chosen(1.0, (0.0, 0.3, 1.0))
    user, item, content, split = world(0.5)
    nothing = np.zeros_like(content)
    term = ZeroShotTerm.of(nothing, split.matrix(TRAIN))
    assert choose_weight(lambda one: term.columns(user, item, one), split, (0.3, 0.2)) == 0.2
    assert dot_scorer(user, item)(np.arange(2)).shape == (2, ITEMS)
