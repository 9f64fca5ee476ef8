"""A training of users and items as the epoch loop sees it: rate, work, validation and vectors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from alignrec.aligner.errors import SplitError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TRAIN, VALID, Split
from alignrec.aligner.train.model import Collaborative, Representations, UserItemVectors
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.task import UserItemTask
from tests.aligner.worlds import two_tastes

CPU = torch.device("cpu")
SPLIT = two_tastes()[2]


def task(split: Split = SPLIT, **changes: Any) -> UserItemTask:
    settings = TrainSettings.paper(dim=4, device="cpu").model_copy(update=changes)
    torch.manual_seed(1)
    model = Collaborative(split.users, split.items, settings.dim, settings.layers)
    objective = Objective(settings, split.matrix(TRAIN), None, CPU)
    return UserItemTask(model, objective, split, settings, seed=7)


def test_it_has_the_settings_limits_and_the_seed() -> None:
    found = task(epochs=9, patience=3)
    assert (found.section, found.seeds, found.epochs, found.patience) == ("train", (7,), 9, 3)


def test_the_rate_decays_in_even_steps() -> None:
    found = task(learning_rate=0.5, decay=0.25, decay_every=2)
    assert [found.rate(epoch, 0) for epoch in (0, 1, 2, 4)] == [0.5, 0.25, 0.125, 0.03125]


def test_only_sparse_steps_count_their_work() -> None:
    assert task(loss="bpr").work == SPLIT.matrix(TRAIN).nnz * 4
    assert task(loss="softmax").work == math.inf


def test_validation_is_that_of_the_vectors_and_recall_at_20_decides() -> None:
    found = task()
    user, item = found.vectors(found.represent())
    wanted = evaluate(dot_scorer(user, item), SPLIT, VALID)
    expected = {f"{m}@{k}": wanted.mean(m, k) for m in ("recall", "ndcg") for k in (10, 20)}
    assert found.validate() == expected
    assert found.score({"recall@20": 0.75, "recall@10": 0.25}) == 0.75


def test_vectors_rank_as_the_loss_does() -> None:
    """By dot product under BPR; by the mean of the members' cosines under softmax."""
    user, item = np.array([[3.0, 4, 0, 2]], np.float32), np.array([[4.0, 3, 0, -5], [0, 0, 0, 0]], np.float32)
    final = UserItemVectors(torch.from_numpy(user), torch.from_numpy(item))
    pair = Representations(final, final)
    assert [v.tolist() for v in task(loss="bpr").vectors(pair)] == [user.tolist(), item.tolist()]
    left, right = task(loss="softmax", members=2).vectors(pair)
    # Members have two numbers each: cosines 24/25 and -1 with the first item, none with the second.
    assert left @ right.T == pytest.approx(np.array([[(24 / 25 - 1) / 2, 0]]), abs=1e-6)


@pytest.mark.parametrize("part", [TRAIN, VALID])
def test_without_something_to_train_or_to_judge_by_it_cannot_begin(part: int) -> None:
    kept = SPLIT.label != part
    rest = Split(SPLIT.users, SPLIT.items, SPLIT.user[kept], SPLIT.item[kept], SPLIT.label[kept])
    with pytest.raises(SplitError, match="needs interactions in train and in valid"):
        task(rest)
