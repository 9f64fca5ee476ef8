"""The paper's form to the letter: a small case by its published formulas alone, in plain float64 numpy.

Three users, four items, features and vectors of two dimensions; graphs and terms are written out as arXiv
2403.12384 and its published code have them.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.train.graphs import bipartite, content_neighbours, graph
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import build, train
from alignrec.aligner.trainer import epoch_rng
from tests.aligner.worlds import two_tastes

CPU = torch.device("cpu")
TAKEN = np.array([[1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]])
FEATURES = np.array([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0], [0.6, 0.8]])
# Cosines are 1, .8, 0, .6 | .8, 1, .6, .96 | 0, .6, 1, .8 | .6, .96, .8, 1; the two largest of each row:
KEPT = np.array([[1.0, 0.8, 0, 0], [0, 1.0, 0, 0.96], [0, 0, 1.0, 0.8], [0, 0.96, 0, 1.0]])
SETTINGS = TrainSettings.paper(
    dim=2, neighbours=2, cca_weight=0.05, similarity_weight=0.3, l2_weight=0.01, batch_size=100, device="cpu"
)


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def unit(x: np.ndarray) -> np.ndarray:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def info_nce(content: np.ndarray, ids: np.ndarray, temperature: float) -> float:
    logits = unit(content) @ unit(ids).T / temperature
    return float(np.mean(np.log(np.exp(logits).sum(axis=1)) - np.diag(logits)))


@pytest.mark.parametrize("trained_features", [False, True])
def test_vectors_and_loss_are_those_of_the_published_formulas(trained_features: bool) -> None:
    settings = SETTINGS.model_copy(update={"trained_features": trained_features})
    user_index, item_index = np.nonzero(TAKEN)
    split = Split(3, 4, user_index, item_index, np.full(len(user_index), TRAIN, dtype=np.uint8))
    history, known = split.matrix(TRAIN), FEATURES.astype(np.float32)
    similar = content_neighbours(known, settings.other_neighbours)
    model = build(known, similar, 3, settings, 7, CPU)
    with torch.no_grad():
        model.features.add_(0.25)  # as training may leave a table; the target of similarity is what it was
    if not trained_features:
        model.features.sub_(0.25)
    objective = Objective(settings, history, torch.from_numpy(known), CPU)
    batch = next(objective.batches(epoch_rng(3)))
    vectors = model(graph(bipartite(history)))
    terms = {name: value.item() for name, value in objective(vectors, batch).items()}

    users, items = model.user.detach().double().numpy(), model.item.detach().double().numpy()
    weight, bias = (p.detach().double().numpy() for p in (model.projection.weight, model.projection.bias))
    edges = TAKEN / np.sqrt(np.outer(TAKEN.sum(1), TAKEN.sum(0)))
    layers = [(users, items)]
    for _ in range(2):
        layers.append((edges @ layers[-1][1], edges.T @ layers[-1][0]))
    id_user, id_item = (np.mean([layer[side] for layer in layers], axis=0) for side in (0, 1))
    total = KEPT.sum(axis=1)
    table = FEATURES + 0.25 * trained_features
    content_item = (KEPT / np.sqrt(np.outer(total, total))) @ (items * sigmoid(table @ weight.T + bias))
    content_user = edges @ content_item
    user, item = id_user + content_user, id_item + content_item
    for ours, theirs in (
        (vectors.final.user, user),
        (vectors.final.item, item),
        (vectors.content.item, content_item),
        (vectors.category.user, id_user),
    ):
        np.testing.assert_allclose(ours.detach().numpy(), theirs, atol=1e-6)

    u, p, n = user[batch.user.numpy()], item[batch.item.numpy()], item[batch.other.numpy()]
    expected = {
        "bpr": -np.mean(np.log(sigmoid((u * p).sum(1) - (u * n).sum(1)))),
        "uia": 0.1 * np.mean(1 - (unit(u) * unit(p)).sum(1)),
        "l2": 0.01 * 0.5 * ((u**2).sum() + (p**2).sum() + (n**2).sum()) / len(u),
        "cca": 0.05 * (info_nce(content_item, id_item, 0.2) + info_nce(content_user, id_user, 0.2)),
        "similarity": 0.3 * np.linalg.norm(content_item @ content_item.T - FEATURES @ FEATURES.T) / 4,
    }
    assert terms == pytest.approx(expected, abs=1e-5)
    assert min(expected.values()) > 0


def test_vectors_start_as_glorot_and_bengio_have_them() -> None:
    model = build(
        np.eye(400, dtype=np.float32),
        content_neighbours(np.eye(400, dtype=np.float32), 1),
        600,
        TrainSettings.paper(),
        1,
        CPU,
    )
    for table, rows in ((model.user, 600), (model.item, 400)):
        bound = np.sqrt(6 / (rows + 64))
        assert table.abs().max() <= bound
        assert table.abs().max() > 0.99 * bound
    assert model.projection.weight.abs().max() <= np.sqrt(6 / (400 + 64))


def test_a_table_that_learns_moves_and_new_items_come_by_what_features_were() -> None:
    features, valid, split = two_tastes()
    found = {}
    for learns in (False, True):
        settings = TrainSettings.paper(dim=8, batch_size=32, epochs=4, trained_features=learns, device="cpu")
        found[learns] = train(features, valid, split, settings, 1)
        assert found[learns].fit.best_epoch
    assert not np.allclose(found[False].aligned, found[True].aligned, atol=1e-3)
    np.testing.assert_array_equal(found[True].encoder.features, found[False].encoder.features)


def test_a_new_item_is_placed_as_the_graph_would_place_its_twin() -> None:
    """Content of a new item is what the symmetric graph gives an item of the same neighbours and gate."""
    features, valid, split = two_tastes()
    settings = TrainSettings.paper(dim=8, batch_size=32, epochs=2, device="cpu")
    trained = train(features, valid, split, settings, 1)
    encoder = trained.encoder
    new = features[:1] + 0.05
    unit_new = new / np.linalg.norm(new)
    centred = unit_new - encoder.mean
    centred /= np.linalg.norm(centred)
    cosines = np.maximum((centred @ encoder.features.T)[0], 0)
    nearest = np.argsort(-cosines)[: settings.other_neighbours]
    weights = cosines[nearest]
    graph_ = content_neighbours(encoder.features, settings.other_neighbours)
    total = 1 / graph_.diagonal()
    gate = sigmoid(centred @ encoder.weight.T + encoder.bias)[0]
    purified = weights @ encoder.item[nearest] / weights.sum() * gate
    own = 1 + weights.sum()
    passed_by_trained = encoder.passed[nearest] * np.sqrt(total[nearest])[:, None]  # without its scale
    expected = purified / own + (weights / np.sqrt(own * total[nearest])) @ passed_by_trained
    _, content = encoder.encode(new, np.array([True]))
    np.testing.assert_allclose(content[0], expected, rtol=1e-4, atol=1e-6)
    assert encoder.symmetric
    plain = replace(encoder, symmetric=False).encode(new, np.array([True]))[1]
    assert not np.allclose(plain, content, rtol=1e-2)
