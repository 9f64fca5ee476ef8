"""MGCN against its paper's equations, row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.recommenders.mgcn import Mgcn
from tests.aligner.recommenders.small import (
    BATCH,
    CPU,
    DIM,
    FEATURES,
    HISTORY,
    bpr,
    half_square,
    info_nce,
    lightgcn,
    numbers,
    one_layer,
    similar_items,
)

Both = tuple[np.ndarray, np.ndarray]


def model() -> Mgcn:
    torch.manual_seed(1)
    sizes = {"dim": DIM, "layers": 2, "item_layers": 1, "neighbours": 3}
    weights = {"contrast_weight": 0.2, "temperature": 0.5, "l2_weight": 0.3}
    mgcn = Mgcn(HISTORY, FEATURES, CPU, **sizes, **weights)  # type: ignore[arg-type]
    for parameter in mgcn.parameters():
        torch.nn.init.normal_(parameter)
    return mgcn


def affine(layer: torch.nn.Module, vector: np.ndarray) -> np.ndarray:
    weight, *bias = (numbers(part) for part in layer.parameters())
    product: np.ndarray = weight @ vector + (bias[0] if bias else 0)
    return product


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def fused(mgcn: Mgcn, behaviour: np.ndarray, content: list[np.ndarray]) -> np.ndarray:
    found = np.zeros_like(behaviour)
    for row, own in enumerate(behaviour):
        scores = [affine(mgcn.attention[2], np.tanh(affine(mgcn.attention[0], x[row])))[0] for x in content]
        alpha = np.exp(scores) / np.exp(scores).sum()
        shared = alpha[0] * content[0][row] + alpha[1] * content[1][row]
        specific = [
            (x[row] - shared) * sigmoid(affine(preference, own))
            for x, preference in zip(content, mgcn.preferences, strict=True)
        ]
        found[row] = (shared + sum(specific)) / 3
    return found


def reference(mgcn: Mgcn) -> tuple[Both, Both]:
    """Users' and items' vectors of behaviour and of content."""
    user, item = numbers(mgcn.user), numbers(mgcn.item)
    behaviour = lightgcn(user, item, 2)
    items, users = [], []
    for place, values in enumerate(FEATURES):
        purified = np.stack(
            [
                own * sigmoid(affine(mgcn.gates[place], affine(mgcn.projections[place], row)))
                for own, row in zip(item, values.astype(np.float64), strict=True)
            ]
        )
        items.append(similar_items(values, 3, weighted=True) @ purified)
        users.append(one_layer(user, items[-1])[0])
    return behaviour, (fused(mgcn, behaviour[0], users), fused(mgcn, behaviour[1], items))


def test_vectors_are_the_paper_s() -> None:
    mgcn = model()
    behaviour, content = reference(mgcn)
    vectors = mgcn.represent()
    assert numbers(vectors.user) == pytest.approx(behaviour[0] + content[0], abs=1e-5)
    assert numbers(vectors.item) == pytest.approx(behaviour[1] + content[1], abs=1e-5)


def test_the_loss_is_the_paper_s() -> None:
    mgcn = model()
    behaviour, content = reference(mgcn)
    user, item = behaviour[0] + content[0], behaviour[1] + content[1]
    u, i, j = (index.numpy() for index in (BATCH.user, BATCH.positive, BATCH.negative))
    of_users, of_items = (
        info_nce(content[side][np.unique(index)], behaviour[side][np.unique(index)], 0.5)
        for side, index in enumerate((u, i))
    )
    wanted = {
        "bpr": bpr(user, item),
        "contrast": 0.2 * (of_users + of_items),
        "l2": 0.3 * half_square(user[u], [item[i], item[j]]),
    }
    assert {name: term.item() for name, term in mgcn.losses(BATCH).items()} == pytest.approx(wanted, abs=1e-5)
