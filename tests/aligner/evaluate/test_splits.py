"""Splits: sizes, honesty in time, and MMRec's format."""

from __future__ import annotations

import io
import math
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from alignrec.aligner.errors import AlignerError, SplitError
from alignrec.aligner.evaluate.splits import (
    HIDDEN,
    TEST,
    TRAIN,
    VALID,
    Split,
    k_core,
    read_mmrec,
    split_leave_one_out,
    split_new_items,
    split_random,
    split_temporal,
)

RATIOS = (0.8, 0.1, 0.1)
pairs = st.sets(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=60).map(
    lambda found: np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
)


def test_candidates_are_marks_of_items_and_stay_with_them() -> None:
    split = Split(1, 3, np.array([0, 0]), np.array([0, 2]), np.zeros(2, np.uint8))
    assert split.recommended.tolist() == [True] * 3
    marked = replace(split, candidates=np.array([True, True, False]))
    assert marked.recommended.tolist() == [True, True, False]
    kept = marked.of_items(np.array([False, True, True]))
    assert (kept.items, kept.item.tolist(), kept.recommended.tolist()) == (2, [1], [True, False])
    with pytest.raises(SplitError, match="3 items needs as many marks of candidates"):
        replace(split, candidates=np.ones(2, np.bool_))


@given(pairs, st.floats(0.01, 1), st.integers(0, 3))
def test_thinning_keeps_a_share_of_each_training_history(found: np.ndarray, share: float, seed: int) -> None:
    user, item = found.T
    split = Split(8, 10, user, item, (item % 4 == 3) * np.uint8(TEST))
    thin = split.thinned(share, seed)
    count, kept = (np.bincount(s.user[s.label == TRAIN], minlength=8) for s in (split, thin))
    assert kept.tolist() == [max(math.floor(n * share + 0.5), min(n, 1)) for n in count]
    assert (thin.matrix(TEST) != split.matrix(TEST)).nnz == 0
    assert (thin.matrix(TRAIN, HIDDEN) != split.matrix(TRAIN)).nnz == 0, "what is hidden is known to be"
    assert np.array_equal(thin.label, split.thinned(share, seed).label), "the same again"
    less = split.thinned(share / 2, seed)
    assert not ((less.label == TRAIN) & (thin.label != TRAIN)).any()


def test_undivided_all_is_there_to_learn_from_but_what_is_hidden() -> None:
    split = Split(2, 3, np.array([0, 0, 1, 1]), np.array([0, 1, 2, 0]), np.array([0, 1, 2, 3], np.uint8))
    assert split.undivided().label.tolist() == [0, 0, 0, 3]
    assert split.label.tolist() == [0, 1, 2, 3]


def test_another_seed_keeps_others() -> None:
    user = np.repeat(np.arange(4), 10)
    split = Split(4, 10, user, np.tile(np.arange(10), 4), np.zeros(40, np.uint8))
    assert split.thinned(1.0, 1).label.tolist() == split.label.tolist()
    assert split.thinned(0.5, 1).label.tolist() != split.thinned(0.5, 2).label.tolist()


def slow_k_core(log: list[tuple[int, int]], k: int) -> set[tuple[int, int]]:
    kept = set(log)
    while True:
        users, items = Counter(u for u, _ in kept), Counter(i for _, i in kept)
        weak = {(u, i) for u, i in kept if users[u] < k or items[i] < k}
        if not weak:
            return kept
        kept -= weak


@given(pairs, st.integers(0, 4))
def test_k_core_equals_a_slow_one(log: np.ndarray, k: int) -> None:
    keep = k_core(log[:, 0], log[:, 1], k)
    assert {tuple(row) for row in log[keep].tolist()} == slow_k_core([tuple(r) for r in log.tolist()], k)


@given(pairs, st.integers(0, 5))
def test_random_split_has_the_stated_sizes(log: np.ndarray, seed: int) -> None:
    label = split_random(log[:, 0], RATIOS, seed)
    assert label.dtype == np.uint8 and np.array_equal(label, split_random(log[:, 0], RATIOS, seed))
    for user in np.unique(log[:, 0]):
        mine = label[log[:, 0] == user]
        n, wanted = len(mine), max(1, int(len(mine) * 0.1 + 0.5))
        test = min(wanted, n - 1)
        valid = min(wanted, n - 1 - test)
        assert [int((mine == part).sum()) for part in (VALID, TEST)] == [valid, test]


def test_random_split_follows_the_ratios_and_the_seed() -> None:
    user = np.repeat(np.arange(50), 40)
    label = split_random(user, RATIOS, 1)
    assert np.bincount(label).tolist() == [1600, 200, 200]
    assert not np.array_equal(label, split_random(user, RATIOS, 2))
    assert split_random(user, (0.9, 0.0, 0.1), 1).tolist().count(VALID) == 0


@pytest.mark.parametrize("ratios", [(0.8, 0.1), (0.8, 0.1, 0.2), (1.1, -0.1, 0.0), (0.0, 0.5, 0.5)])
def test_wrong_ratios_are_refused(ratios: tuple[float, ...]) -> None:
    with pytest.raises(SplitError, match="ratios"):
        split_random(np.zeros(3, dtype=np.int64), ratios, 1)
    with pytest.raises(AlignerError, match="ratios"):
        split_temporal(np.zeros(3, dtype=np.int64), ratios)


@given(pairs, st.integers(0, 5), st.randoms())
def test_leave_one_out_takes_the_last_two(log: np.ndarray, seed: int, random: object) -> None:
    time = np.random.default_rng(seed).integers(0, 4, size=len(log))
    label = split_leave_one_out(log[:, 0], time, seed)
    for user in np.unique(log[:, 0]):
        mine = log[:, 0] == user
        n = int(mine.sum())
        assert np.bincount(label[mine], minlength=3).tolist() == [max(1, n - 2), int(n > 2), int(n > 1)]
        for earlier, later in ((TRAIN, VALID), (TRAIN, TEST), (VALID, TEST)):
            first, second = time[mine & (label == earlier)], time[mine & (label == later)]
            assert not len(second) or first.max(initial=-1) <= second.min()


def test_leave_one_out_without_times_is_random_and_seeded() -> None:
    user = np.repeat(np.arange(30), 10)
    labels = [split_leave_one_out(user, None, seed) for seed in (1, 1, 2)]
    assert np.array_equal(labels[0], labels[1]) and not np.array_equal(labels[0], labels[2])


@given(pairs, st.integers(0, 5))
def test_new_items_are_of_one_part_and_of_the_others_users_give_a_share(log: np.ndarray, seed: int) -> None:
    user, item = log.T
    items = len(np.unique(item))
    share = max(1, int(items * 0.1 + 0.5))
    if items <= 2 * share:
        return
    label = split_new_items(user, item, RATIOS, seed)
    assert label.dtype == np.uint8 and np.array_equal(label, split_new_items(user, item, RATIOS, seed))
    order = np.unique(item)[np.random.default_rng(seed).permutation(items)]
    test, held = (np.isin(item, order[:share]), np.isin(item, order[share : 2 * share]))
    assert (label[test] == TEST).all() and (label[held] == VALID).all()
    others = ~(test | held)
    for one in np.unique(user[others]):
        mine = label[others & (user == one)]
        wanted = min(max(1, int(len(mine) * 0.1 + 0.5)), len(mine) - 1)
        assert np.bincount(mine, minlength=3).tolist() == [len(mine) - wanted, wanted, 0]


def test_new_items_follow_the_seed_and_need_enough_items() -> None:
    user, item = np.repeat(np.arange(4), 40), np.tile(np.arange(40), 4)
    label = split_new_items(user, item, RATIOS, 1)
    # 4 of 40 items each way, and of 32 others of a user 3.
    assert np.bincount(label).tolist() == [4 * 29, 4 * (4 + 3), 4 * 4]
    assert not np.array_equal(label, split_new_items(user, item, RATIOS, 2))
    assert split_new_items(user, item, (0.9, 0.0, 0.1), 1).tolist().count(VALID) == 0
    assert not len(split_new_items(user[:0], item[:0], RATIOS, 1))
    with pytest.raises(SplitError, match="2 items are too few to hold 2 of them back"):
        split_new_items(user[:2], item[:2], RATIOS, 1)
    with pytest.raises(SplitError, match="ratios"):
        split_new_items(user, item, (0.8, 0.1), 1)


@given(hnp.arrays(np.int64, st.integers(0, 60), elements=st.integers(0, 20)))
def test_temporal_parts_do_not_overlap_in_time(time: np.ndarray) -> None:
    label = split_temporal(time, RATIOS)
    assert len(label) == len(time)
    for early in (TRAIN, VALID):
        assert time[label <= early].max(initial=-1) < time[label > early].min(initial=99)


def test_temporal_split_follows_the_ratios_where_moments_differ() -> None:
    time = np.random.default_rng(0).permutation(1000)
    assert np.bincount(split_temporal(time, RATIOS)).tolist() == [800, 100, 100]


def test_matrix_holds_the_parts_asked_for() -> None:
    split = Split(2, 3, np.array([0, 0, 1]), np.array([2, 0, 1]), np.array([0, 1, 2], dtype=np.uint8))
    assert split.matrix(TRAIN).toarray().tolist() == [[0, 0, 1], [0, 0, 0]]
    assert split.matrix(TRAIN, VALID).toarray().tolist() == [[1, 0, 1], [0, 0, 0]]
    assert split.matrix(TEST).dtype == np.float32


@pytest.mark.parametrize(
    ("user", "item", "label", "message"),
    [
        ([0, 2], [0, 1], [0, 0], "user must lie"),
        ([0, 1], [0, -1], [0, 0], "item must lie"),
        ([0, 1], [0, 1], [0, 4], "label must lie"),
        ([0, 0], [1, 1], [0, 2], "occurs twice"),
        ([0], [1, 1], [0, 2], "as many users"),
    ],
)
def test_a_contradictory_split_is_refused(
    user: list[int], item: list[int], label: list[int], message: str
) -> None:
    with pytest.raises(SplitError, match=message):
        Split(2, 2, np.array(user), np.array(item), np.array(label, dtype=np.uint8))


def test_mmrec_format_is_read_whatever_its_column_order() -> None:
    text = "itemID\tuserID\ttimestamp\tx_label\n1\t0\t9.5\t0\n0\t1\t8\t2\n"
    split = read_mmrec(io.StringIO(text))
    assert (split.users, split.items) == (2, 2)
    assert split.user.tolist() == [0, 1] and split.item.tolist() == [1, 0] and split.label.tolist() == [0, 2]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("userID\titemID\n0\t1\n", "missing: x_label"),
        ("userID\titemID\tx_label\n0\tsome\t1\n", "whole numbers"),
        ("userID\titemID\tx_label\n0\t1\t258\n", r"x_label must be .*1 of 1 rows .* row 0: 258"),
        ("userID\titemID\tx_label\n0\t1\t0\n-3\t1\t0\n", r"userID must be .* row 1: -3"),
        ("", "missing: userID, itemID, x_label"),
    ],
)
def test_a_broken_inter_file_is_refused(text: str, message: str) -> None:
    with pytest.raises(SplitError, match=message):
        read_mmrec(io.StringIO(text))
