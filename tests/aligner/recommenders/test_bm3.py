"""BM3 against its paper's equations, row by row."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.recommenders.bm3 import Bm3
from tests.aligner.recommenders.small import (
    BATCH,
    CPU,
    DIM,
    FEATURES,
    HISTORY,
    cosine,
    half_square,
    lightgcn,
    numbers,
)


def model(dropout: float = 0.0) -> Bm3:
    torch.manual_seed(1)
    bm3 = Bm3(HISTORY, FEATURES, CPU, dim=DIM, layers=2, dropout=dropout, l2_weight=0.3)
    for layer in (bm3.predictor, *bm3.projections):
        torch.nn.init.normal_(layer.bias)
    return bm3


def linear(layer: torch.nn.Module, values: np.ndarray) -> np.ndarray:
    weight, bias = (numbers(part) for part in layer.parameters())
    return values @ weight.T + bias


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.mean([-cosine(a, b) for a, b in zip(one, other, strict=True)]))


def reference(bm3: Bm3) -> tuple[np.ndarray, np.ndarray]:
    user, item = lightgcn(numbers(bm3.user), numbers(bm3.item), 2)
    return user, item + numbers(bm3.item)


def test_scores_are_products_of_predicted_vectors() -> None:
    bm3 = model()
    user, item = (linear(bm3.predictor, part) for part in reference(bm3))
    vectors = bm3.represent()
    assert numbers(vectors.user @ vectors.item.T) == pytest.approx(user @ item.T, abs=1e-5)


def test_the_loss_is_the_paper_s() -> None:
    bm3 = model().train()
    all_users, all_items = reference(bm3)
    user, item = all_users[BATCH.user.numpy()], all_items[BATCH.positive.numpy()]
    predicted_user, predicted_item = linear(bm3.predictor, user), linear(bm3.predictor, item)
    wanted = {"reconstruction": apart(predicted_user, item) + apart(predicted_item, user)}
    for place, (values, layer) in enumerate(zip(FEATURES, bm3.projections, strict=True), 1):
        content = linear(layer, values[BATCH.positive.numpy()].astype(np.float64))
        wanted[f"alignment {place}"] = apart(linear(bm3.predictor, content), item)
        wanted[f"masking {place}"] = apart(linear(bm3.predictor, content), content)
    wanted["l2"] = 0.3 * half_square(numbers(bm3.user), [numbers(bm3.item)])
    terms = {name: term.item() for name, term in bm3.losses(BATCH).items()}
    assert terms == pytest.approx(wanted, abs=1e-6)


def test_targets_lose_dimensions_in_training_alone_and_learn_nothing() -> None:
    bm3 = model(dropout=0.5)
    whole = [term.item() for term in bm3.eval().losses(BATCH).values()]
    assert whole == pytest.approx([term.item() for term in model().losses(BATCH).values()])
    torch.manual_seed(0)
    assert [term.item() for term in bm3.train().losses(BATCH).values()] != pytest.approx(whole)
    frozen = model()
    for parameter in frozen.predictor.parameters():
        parameter.detach_()
        parameter.zero_()
    # With a predictor of zeros only a gradient through a target could reach a projection.
    frozen.losses(BATCH)["masking 1"].backward()
    gradient = frozen.projections[0].weight.grad
    assert gradient is None or not gradient.any()
