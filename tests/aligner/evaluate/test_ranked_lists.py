"""Lists that were ranked elsewhere give the very numbers that ranking here gives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.ranked_lists import RankedLists, evaluate_lists, possible_lengths
from alignrec.aligner.evaluate.ranking import rank
from alignrec.aligner.evaluate.splits import TRAIN, Split
from tests.aligner.worlds import two_tastes

SPLIT = replace(two_tastes()[2], candidates=np.arange(80) % 5 != 0)


def lists_of(ranking: np.ndarray) -> RankedLists:
    user, place = np.nonzero(ranking >= 0)
    return RankedLists(user, ranking[user, place])


@given(st.integers(0, 1000), st.booleans(), st.sampled_from([(3,), (5, 10), (100,)]))
def test_a_ranking_that_was_written_down_is_worth_the_same(
    seed: int, exclude: bool, ks: tuple[int, ...]
) -> None:
    evaluator = Evaluator(SPLIT, ks, exclude)
    scores = np.random.default_rng(seed).random((SPLIT.users, SPLIT.items))
    # Whoever writes the lists knows neither the candidates nor the rule about validation.
    ranking = rank(lambda users: scores[users], np.arange(SPLIT.users), 80, SPLIT.matrix(TRAIN))
    lists = lists_of(ranking)
    ranked = lists.ranked(evaluator)
    assert ((ranked >= 0).sum(axis=1) == possible_lengths(evaluator)).all()
    ours, theirs = evaluator.evaluate(lambda users: scores[users], "test"), evaluate_lists(ranked, evaluator)
    assert np.array_equal(ours.users, theirs.users) and ours.values.keys() == theirs.values.keys()
    for key, values in ours.values.items():
        assert np.array_equal(values, theirs.values[key])
    assert not len(lists.trained_on(evaluator)) and not len(lists.repeated())


def test_a_user_without_a_list_finds_nothing() -> None:
    split = Split(2, 3, np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2]), np.array([0, 2, 0, 2], np.uint8))
    lists = RankedLists(np.array([1, 1]), np.array([2, 1])).ranked(Evaluator(split, (1,)))
    assert lists.tolist() == [[-1], [2]]
    found = evaluate_lists(lists, Evaluator(split, (1,)))
    assert found.users.tolist() == [0, 1] and found.values["recall", 1].tolist() == [0, 1]


def test_what_breaks_a_rule_is_found() -> None:
    split = Split(2, 4, np.array([0, 1]), np.array([3, 0]), np.array([0, 0], np.uint8))
    lists = RankedLists(np.array([0, 0, 0, 1, 1, 1]), np.array([2, 3, 2, 2, 0, 1]))
    assert lists.repeated().tolist() == [2]
    assert lists.trained_on(Evaluator(split)).tolist() == [1, 4]


@pytest.mark.parametrize(("exclude", "length"), [(False, 2), (True, 1)])
def test_a_list_is_as_long_as_what_is_left(exclude: bool, length: int) -> None:
    candidates = np.array([True, True, True, False])
    split = Split(1, 4, np.array([0, 0]), np.array([0, 1]), np.array([0, 1], np.uint8), candidates)
    assert possible_lengths(Evaluator(split, (10,), exclude)).tolist() == [length]
