"""An evaluation of a scorer, compared with rankings worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from alignrec.aligner.evaluate.evaluation import Evaluation, evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID, Split

# User 0 liked item 0 in training, 1 in validation and 2 at test; user 1 item 3 at test; user 2 nothing then.
SPLIT = Split(
    3,
    4,
    np.array([0, 0, 0, 1, 2]),
    np.array([0, 1, 2, 3, 0]),
    np.array([TRAIN, VALID, TEST, TEST, TRAIN], dtype=np.uint8),
)
# Users rank items 0, 1, 2, 3 and 2, 1, 0, 3 and 3, 2, 1, 0.
SCORES = np.array([[9.0, 8, 7, 6], [7, 8, 9, 1], [0, 1, 2, 3]])
SCORER = dot_scorer(SCORES, np.eye(4))


def values(**options: object) -> tuple[list[int], dict[tuple[str, int], list[float]]]:
    found = evaluate(SCORER, SPLIT, ks=(1, 2), **options)  # type: ignore[arg-type]
    wanted = (("recall", 1), ("recall", 2), ("ndcg", 2), ("mrr", 2))
    return found.users.tolist(), {key: found.values[key].tolist() for key in wanted}


def test_test_ranks_all_but_the_training_history() -> None:
    """User 0 is offered 1, 2, 3 and finds 2 second; user 1 finds 3 last."""
    second = 1 / math.log2(3)
    assert values() == (
        [0, 1],
        {
            ("recall", 1): [0, 0],
            ("recall", 2): [1, 0],
            ("ndcg", 2): [second, 0],
            ("mrr", 2): [0.5, 0],
        },
    )


def test_validation_positives_can_be_left_out_at_test_alone() -> None:
    """User 0 is offered 2, 3; in validation 1, 2, 3 either way."""
    first = {("recall", 1): [1, 0], ("recall", 2): [1, 0], ("ndcg", 2): [1, 0], ("mrr", 2): [1, 0]}
    assert values(exclude_valid=True) == ([0, 1], first)
    alone = ([0], {key: [1.0] for key in first})
    assert values(part=VALID) == values(part=VALID, exclude_valid=True) == alone


def test_only_candidates_are_ranked() -> None:
    rare = Split(3, 4, SPLIT.user, SPLIT.item, SPLIT.label, candidates=np.array([False, False, True, True]))
    found = evaluate(SCORER, rare, ks=(1,))
    assert found.values["recall", 1].tolist() == [1, 0]


def test_a_mean_is_over_users_and_none_without_users() -> None:
    found = Evaluation(np.array([0, 1, 4]), {("recall", 5): np.array([0.0, 0.5, 1.0])})
    assert found.mean("recall", 5) == 0.5
    assert math.isnan(
        Evaluation(np.array([], dtype=np.int64), {("recall", 5): np.array([])}).mean("recall", 5)
    )
    with pytest.raises(KeyError):
        found.mean("recall", 10)


def test_what_is_hidden_of_a_history_is_ranked_nowhere() -> None:
    """Nobody is punished, as settings are chosen, for ranking what the user liked and nobody told."""
    user, item = np.zeros(4, np.int64), np.arange(4)
    split = Split(1, 4, user, item, np.array([0, 3, 1, 2], np.uint8))
    scores = lambda users: np.tile(np.array([9.0, 8.0, 7.0, 6.0]), (len(users), 1))  # noqa: E731
    assert evaluate(scores, split, VALID, (1,)).mean("recall", 1) == 1
    assert evaluate(scores, split, TEST, (1,), exclude_valid=True).mean("recall", 1) == 1
