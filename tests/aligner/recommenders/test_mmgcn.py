"""MMGCN against its paper's equations, neighbour by neighbour."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.recommenders.mmgcn import Convolution, Mmgcn, means
from tests.aligner.recommenders.small import (
    BATCH,
    CPU,
    DIM,
    FEATURES,
    HISTORY,
    ITEMS,
    LIKES,
    USERS,
    bpr,
    half_square,
    neighbours_of_item,
    neighbours_of_user,
    numbers,
)


def model() -> Mmgcn:
    torch.manual_seed(1)
    mmgcn = Mmgcn(HISTORY, FEATURES, CPU, dim=DIM, layers=2, l2_weight=0.3)
    for parameter in mmgcn.parameters():
        torch.nn.init.normal_(parameter)
    return mmgcn


def leaky(x: np.ndarray) -> np.ndarray:
    return np.where(x > 0, x, 0.01 * x)


def layer(
    convolution: Convolution, own: np.ndarray, others: np.ndarray, ids: np.ndarray, taken: list[list[int]]
) -> np.ndarray:
    first, second, third = (
        numbers(part.weight) for part in (convolution.neighbour, convolution.own, convolution.aggregate)
    )
    found = np.zeros_like(own)
    for n, neighbours in enumerate(taken):
        mean = sum((first @ others[i] for i in neighbours), start=np.zeros(DIM)) / max(len(neighbours), 1)
        found[n] = leaky(third @ leaky(mean) + leaky(second @ own[n]) + ids[n])
    return found


def reference(mmgcn: Mmgcn) -> tuple[np.ndarray, np.ndarray]:
    by_user = [neighbours_of_user(u) for u in range(USERS)]
    by_item = [neighbours_of_item(i) for i in range(ITEMS)]
    users, items = np.zeros((USERS, DIM)), np.zeros((ITEMS, DIM))
    for place, values in enumerate(FEATURES):
        weight, bias = (numbers(part) for part in mmgcn.projections[place].parameters())
        user, item = numbers(mmgcn.user_views[place]), values.astype(np.float64) @ weight.T + bias
        for convolution in mmgcn.convolutions[place]:
            user, item = (
                layer(convolution, user, item, numbers(mmgcn.user), by_user),
                layer(convolution, item, user, numbers(mmgcn.item), by_item),
            )
        users += user
        items += item
    return users, items


def test_vectors_are_the_paper_s() -> None:
    mmgcn = model()
    user, item = reference(mmgcn)
    vectors = mmgcn.represent()
    assert numbers(vectors.user) == pytest.approx(user, rel=1e-5, abs=1e-5)
    assert numbers(vectors.item) == pytest.approx(item, rel=1e-5, abs=1e-5)


def test_the_loss_is_the_paper_s() -> None:
    mmgcn = model()
    u, i, j = (index.numpy() for index in (BATCH.user, BATCH.positive, BATCH.negative))
    ids = numbers(mmgcn.item)
    wanted = {
        "bpr": bpr(*reference(mmgcn)),
        "l2": 0.3 * half_square(numbers(mmgcn.user)[u], [ids[i], ids[j]]),
    }
    terms = {name: term.item() for name, term in mmgcn.losses(BATCH).items()}
    assert terms == pytest.approx(wanted, rel=1e-5, abs=1e-5)


def test_a_mean_counts_every_neighbour_alike() -> None:
    assert means(HISTORY).toarray() == pytest.approx(LIKES / np.maximum(LIKES.sum(axis=1, keepdims=True), 1))
