"""The popularity term: its values, what it does to rankings, and which weight validation chooses."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TEST, TRAIN, Split, split_random
from alignrec.aligner.landmarks.popularity import popularity
from alignrec.aligner.train.popularity import PopularityTerm, choose
from alignrec.aligner.train.validation import validation_of
from alignrec.core.vectors import unit_rows


def shop(strength: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray, Split]:
    """Users who take what is popular, and, as `strength` says, what their vectors' cosines say."""
    rng = np.random.default_rng(seed)
    user, item = (unit_rows(rng.standard_normal((n, 8)).astype(np.float32)) for n in (120, 60))
    liking = strength * user @ item.T - 0.9 * np.log(1 + np.arange(60))
    taken = np.argsort(-(liking + rng.gumbel(size=liking.shape)), axis=1)[:, :10]
    rows, columns = np.repeat(np.arange(120), 10), taken.ravel()
    return user, item, Split(120, 60, rows, columns, split_random(rows, (0.6, 0.2, 0.2), seed))


def test_its_values_are_logarithms_of_counts_less_their_mean() -> None:
    history = sp.csr_array(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0]], np.float32))
    term = PopularityTerm.of(history, 0.5)
    mean = (math.log(4) + math.log(2)) / 3
    assert term.item == pytest.approx([0.5 * (math.log(n) - mean) for n in (4, 2, 1)], abs=1e-7)
    assert term.item.dtype == np.float32
    assert term.untouched == pytest.approx(-0.5 * mean)
    assert term.item[2] == pytest.approx(term.untouched), "an item without users is like a new one"


@given(st.floats(0, 2), st.integers(0, 5))
def test_columns_add_the_term_to_every_product(weight: float, seed: int) -> None:
    user, item, split = shop(1.0, seed)
    term = PopularityTerm.of(split.matrix(TRAIN), weight)
    left, right = term.columns(user, item)
    assert left.dtype == right.dtype == np.float32
    assert left @ right.T == pytest.approx(user @ item.T + term.item, abs=1e-5)


def test_without_taste_it_is_the_popularity_landmark() -> None:
    _, _, split = shop(0.0)
    history = split.matrix(TRAIN)
    nothing = np.zeros((120, 8), np.float32), np.zeros((60, 8), np.float32)
    term = PopularityTerm.of(history, 0.1)
    scores = dot_scorer(*term.columns(*nothing))(np.arange(3))
    counts = popularity(history)(np.arange(3))
    order = np.argsort(-counts, axis=1, kind="stable")
    assert np.array_equal(order, np.argsort(-scores, axis=1, kind="stable"))


def test_validation_finds_it_where_it_counts_and_leaves_it_where_it_does_not() -> None:
    user, item, split = shop(3.0)
    plain = validation_of(user, item, split)["recall@20"]
    term = choose(user, item, split, (0.0, 0.1, 0.3))
    assert term.weight > 0
    assert validation_of(*term.columns(user, item), split)["recall@20"] > plain + 0.05
    user, item, split = shop(60.0)
    assert choose(user, item, split, (3.0, 0.0)).weight == 0


def test_of_equal_weights_the_smallest_is_chosen_and_test_is_not_looked_at() -> None:
    user, item, split = shop(3.0)
    chosen = choose(user, item, split, (0.0, 0.1, 0.3))
    kept = split.label != TEST
    blind = Split(120, 60, split.user[kept], split.item[kept], split.label[kept])
    again = choose(user, item, blind, (0.0, 0.1, 0.3))
    assert (again.weight, again.item.tobytes()) == (chosen.weight, chosen.item.tobytes())
    nothing = np.zeros_like(user), np.zeros_like(item)
    assert choose(*nothing, split, (0.3, 0.2)).weight == 0.2
