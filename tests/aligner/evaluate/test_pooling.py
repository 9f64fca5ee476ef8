"""Several splits together: each user once, paired over the same splits, equal to a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.pooling import average_users, compare_splits


def evaluation(users: list[int], recalls: list[float]) -> Evaluation:
    return Evaluation(np.array(users), {("recall", 5): np.array(recalls)})


def test_a_user_counts_once_whatever_the_splits_that_have_the_user() -> None:
    pooled = average_users([evaluation([1, 4, 7], [0.2, 0.4, 1.0]), evaluation([4, 9], [0.0, 0.5])])
    assert pooled.users.tolist() == [1, 4, 7, 9]
    assert pooled.values["recall", 5] == pytest.approx([0.2, 0.2, 1.0, 0.5])


def test_values_and_differences_equal_a_plain_loop_over_users() -> None:
    rng = np.random.default_rng(3)
    users = [sorted(rng.choice(40, 30, replace=False).tolist()) for _ in range(3)]
    ours = [[evaluation(u, rng.random(30).tolist()) for _ in range(2)] for u in users]
    theirs = [[evaluation(u, rng.random(30).tolist())] for u in users]

    def by_user(splits: list[list[Evaluation]]) -> list[float]:
        values: dict[int, list[float]] = {}
        for seeds in splits:
            for place, user in enumerate(seeds[0].users.tolist()):
                mean = sum(one.values["recall", 5][place] for one in seeds) / len(seeds)
                values.setdefault(user, []).append(mean)
        return [sum(values[user]) / len(values[user]) for user in sorted(values)]

    records = compare_splits("top-k", {"ours": ours, "theirs": theirs}, [("ours", "theirs")])
    a, b = np.array(by_user(ours)), np.array(by_user(theirs))
    found = {(r.subject, r.against, r.aggregate): r for r in records}
    assert found["ours", None, None].value == pytest.approx(a.mean())
    wanted = interval(a, b)
    paired = found["ours", "theirs", None]
    assert (paired.value, paired.low, paired.high) == pytest.approx((wanted.mean, wanted.low, wanted.high))
    means = [one.mean("recall", 5) for seeds in ours for one in seeds]
    assert found["ours", None, "std"].value == pytest.approx(np.std(means, ddof=1))
    assert all(r.seed is None for r in records)


def test_nothing_is_measured_where_nobody_has_a_positive() -> None:
    empty = [[evaluation([], [])], [evaluation([], [])]]
    assert compare_splits("cold-start", {"ours": empty, "theirs": empty}, [("ours", "theirs")]) == []


def test_a_split_without_positives_counts_for_nothing() -> None:
    some = [[evaluation([], [])], [evaluation([2, 3], [0.5, 1.0])]]
    (value,) = compare_splits("cold-start", {"ours": some}, [])
    assert value.value == pytest.approx(0.75) and value.aggregate is None
