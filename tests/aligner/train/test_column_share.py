"""Shares of a step: together they are the step, its losses and its gradients."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.train.column_share import ColumnShare
from alignrec.aligner.train.graphs import bipartite, content_neighbours, graph
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import build
from alignrec.aligner.trainer import epoch_rng
from alignrec.core.vectors import unit_rows
from tests.aligner.test_processes import OneOf
from tests.aligner.worlds import two_tastes

CPU = torch.device("cpu")


class Mirrored(OneOf):
    """One of two; the other has the same columns."""

    def __init__(self, rank: int, count: int) -> None:
        super().__init__(rank, count)
        self.asked: list[tuple[int, int]] = []

    def gather(self, share: Tensor, total: int) -> Tensor:
        self.asked.append((len(share), total))
        return torch.cat([share, share])[:total]


def test_members_are_handed_out_whole_and_count_by_their_number() -> None:
    shares = [ColumnShare.of(OneOf(rank, 3), 64, 8) for rank in range(3)]
    assert [share.columns for share in shares] == [slice(0, 16), slice(16, 40), slice(40, 64)]
    assert [share.members for share in shares] == [2, 3, 3]
    assert sum(share.weight for share in shares) == pytest.approx(1)
    assert all(share.lacking is None for share in shares)


def test_where_members_are_fewer_each_has_columns_and_gets_the_others() -> None:
    group = Mirrored(1, 2)
    share = ColumnShare.of(group, 6, 1)
    assert (share.columns, share.members, share.weight) == (slice(3, 6), 1, 0.5)
    _, model, _, interactions = step(members=1)
    part = model(interactions, share.columns)
    whole = share.complete(part)
    assert whole.content is not None and part.content is not None
    assert torch.equal(whole.category.user[:, 3:], part.category.user)
    assert torch.equal(whole.content.item[:, :3], part.content.item)
    assert torch.equal(whole.final.item, whole.category.item + whole.content.item)
    assert group.asked == [(3, 6)] * 4


def step(**changes: Any) -> tuple[TrainSettings, torch.nn.Module, Objective, Any]:
    settings = TrainSettings.model_validate({"dim": 6, "members": 3, "batch_size": 30, **changes})
    features, _, split = two_tastes()
    history, space = split.matrix(TRAIN), unit_rows(features)
    model = build(space, content_neighbours(space, 10), split.users, settings, 1, CPU)
    return settings, model, Objective(settings, history, model.features, CPU), graph(bipartite(history))


@pytest.mark.parametrize("loss", ["softmax", "bpr"])
@pytest.mark.parametrize("count", [2, 3])
def test_the_shares_of_a_step_add_up_to_it(loss: str, count: int) -> None:
    settings, model, objective, interactions = step(loss=loss, uia_weight=0.2, content_layers=2)
    batch = next(objective.batches(epoch_rng(1, 0)))
    parameters = list(model.parameters())
    wanted = objective(model(interactions), batch)
    gradients = torch.autograd.grad(torch.stack(list(wanted.values())).sum(), parameters)
    losses, found = dict.fromkeys(wanted, 0.0), [torch.zeros_like(p) for p in parameters]
    for rank in range(count):
        share = ColumnShare.of(OneOf(rank, count), settings.dim, settings.members)
        terms = objective(share.complete(model(interactions, share.columns)), batch, share.members)
        mine = {name: share.weight * value for name, value in terms.items()}
        for name, value in mine.items():
            losses[name] += value.item()
        part = torch.autograd.grad(torch.stack(list(mine.values())).sum(), parameters)
        found = [one + other for one, other in zip(found, part, strict=True)]
    assert losses == pytest.approx({name: value.item() for name, value in wanted.items()}, rel=1e-5)
    for one, other in zip(found, gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-7)
