"""SLMRec against its paper's equations, row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.recommenders.slmrec import SLMRec
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
)


def model() -> SLMRec:
    torch.manual_seed(1)
    weights = {"alignment_weight": 0.2, "temperature": 0.5, "l2_weight": 0.3}
    slmrec = SLMRec(HISTORY, FEATURES, CPU, dim=DIM, layers=2, **weights)
    for parameter in slmrec.parameters():
        torch.nn.init.normal_(parameter)
    return slmrec


def linear(layer: torch.nn.Module, values: np.ndarray) -> np.ndarray:
    weight, bias = (numbers(part) for part in layer.parameters())
    return values @ weight.T + bias


def views(slmrec: SLMRec) -> list[tuple[np.ndarray, np.ndarray]]:
    """Users and items by IDs, then by each modality."""
    items = [numbers(slmrec.item)]
    for layer, values in zip(slmrec.projections, FEATURES, strict=True):
        items.append(linear(layer, values.astype(np.float64)))
    return [lightgcn(numbers(u), i, 2) for u, i in zip(slmrec.user_views, items, strict=True)]


def final(slmrec: SLMRec) -> tuple[np.ndarray, np.ndarray]:
    users, items = (np.concatenate(side, axis=1) for side in zip(*views(slmrec), strict=True))
    return linear(slmrec.user_fusion, users), linear(slmrec.item_fusion, items)


def test_vectors_are_the_paper_s() -> None:
    slmrec = model()
    user, item = final(slmrec)
    vectors = slmrec.represent()
    assert numbers(vectors.user) == pytest.approx(user, abs=1e-5)
    assert numbers(vectors.item) == pytest.approx(item, abs=1e-5)


def test_the_loss_is_the_paper_s() -> None:
    slmrec = model()
    user, item = final(slmrec)
    chosen = np.unique(BATCH.positive.numpy())
    ids, image, text = (items[chosen] for _, items in views(slmrec))
    fine = linear(slmrec.coarser[0], ids)
    coarse = linear(slmrec.coarser[1], fine)
    alignment = info_nce(fine, linear(slmrec.matched[0], image), 0.5) + info_nce(
        coarse, linear(slmrec.matched[1], text), 0.5
    )
    u, i, j = (index.numpy() for index in (BATCH.user, BATCH.positive, BATCH.negative))
    wanted = {
        "bpr": bpr(user, item),
        "alignment": 0.2 * alignment,
        "l2": 0.3 * half_square(user[u], [item[i], item[j]]),
    }
    terms = {name: term.item() for name, term in slmrec.losses(BATCH).items()}
    assert terms == pytest.approx(wanted, rel=1e-5, abs=1e-5)
