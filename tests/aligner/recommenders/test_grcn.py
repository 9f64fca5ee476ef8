"""GRCN against its paper's equations, edge by edge."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.recommenders.grcn import Grcn
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


def model() -> Grcn:
    torch.manual_seed(1)
    grcn = Grcn(HISTORY, FEATURES, CPU, dim=DIM, layers=2, routings=3, l2_weight=0.3)
    for parameter in grcn.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return grcn


def softmax(scores: list[float]) -> np.ndarray:
    powers: np.ndarray = np.exp(scores)
    return powers / powers.sum()


def content(grcn: Grcn, place: int) -> tuple[np.ndarray, np.ndarray]:
    """ū and ī of a modality."""
    weight, bias = (numbers(part) for part in grcn.projections[place].parameters())
    item = FEATURES[place].astype(np.float64) @ weight.T + bias
    item = np.where(item > 0, item, 0.01 * item)
    user = numbers(grcn.prototypes[place])
    for _ in range(3):
        routed = user.copy()
        for u in range(USERS):
            taken = neighbours_of_user(u)
            for i, share in zip(taken, softmax([item[i] @ user[u] for i in taken]), strict=True):
                routed[u] += share * item[i]
        user = routed
    return user, item


def reference(grcn: Grcn) -> tuple[np.ndarray, np.ndarray]:
    modalities = [content(grcn, place) for place in range(2)]
    to_user, to_item = np.full((USERS, ITEMS), -np.inf), np.full((USERS, ITEMS), -np.inf)
    for place, (user, item) in enumerate(modalities):
        for u in range(USERS):
            taken = neighbours_of_user(u)
            for i, share in zip(taken, softmax([user[u] @ item[i] for i in taken]), strict=True):
                to_user[u, i] = max(to_user[u, i], numbers(grcn.user_base)[u, place] * share)
        for i in range(ITEMS):
            takers = neighbours_of_item(i)
            for u, share in zip(takers, softmax([user[u] @ item[i] for u in takers]), strict=True):
                to_item[u, i] = max(to_item[u, i], numbers(grcn.item_base)[i, place] * share)
    to_user, to_item = (np.where(LIKES > 0, weights, 0) for weights in (to_user, to_item))
    users, items = [numbers(grcn.user)], [numbers(grcn.item)]
    for _ in range(2):
        user, item = to_user @ items[-1], to_item.T @ users[-1]
        users.append(user)
        items.append(item)
    return (
        np.concatenate([sum(users), *(user for user, _ in modalities)], axis=1),
        np.concatenate([sum(items), *(item for _, item in modalities)], axis=1),
    )


def test_vectors_are_the_paper_s() -> None:
    grcn = model()
    user, item = reference(grcn)
    vectors = grcn.represent()
    assert numbers(vectors.user) == pytest.approx(user, abs=1e-5)
    assert numbers(vectors.item) == pytest.approx(item, abs=1e-5)


def test_the_loss_is_the_paper_s() -> None:
    grcn = model()
    u, i, j = (index.numpy() for index in (BATCH.user, BATCH.positive, BATCH.negative))
    learned = [numbers(prototype)[u] for prototype in grcn.prototypes]
    learned += [numbers(grcn.item)[i], numbers(grcn.item)[j]]
    wanted = {"bpr": bpr(*reference(grcn)), "l2": 0.3 * half_square(numbers(grcn.user)[u], learned)}
    terms = {name: term.item() for name, term in grcn.losses(BATCH).items()}
    assert terms == pytest.approx(wanted, abs=1e-5)
