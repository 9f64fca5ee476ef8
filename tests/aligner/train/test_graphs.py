"""Graphs and what travels along them equal slow, dense versions."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.neighbours import nearest
from alignrec.aligner.train.graphs import bipartite, content_neighbours, graph, symmetric
from alignrec.aligner.train.model import AlignRec, Collaborative
from alignrec.core.vectors import unit_rows

seeds = st.integers(0, 10_000)


def history_of(seed: int, users: int = 5, items: int = 7) -> np.ndarray:
    history = (np.random.default_rng(seed).random((users, items)) < 0.4).astype(np.float32)
    history[0] = history[:, 0] = 0
    return history


def features_of(seed: int, items: int = 7) -> np.ndarray:
    features = np.random.default_rng(seed).standard_normal((items, 3)).astype(np.float32)
    features[seed % items] = 0
    return unit_rows(features)


def slow_bipartite(history: np.ndarray) -> np.ndarray:
    out = np.zeros_like(history)
    for u, i in zip(*np.nonzero(history), strict=True):
        out[u, i] = 1 / np.sqrt(history[u].sum() * history[:, i].sum())
    return out


def slow_content(features: np.ndarray, k: int) -> np.ndarray:
    n = len(features)
    out = np.eye(n)
    for i in range(n):
        if features[i].any():
            others = [j for j in range(n) if j != i and features[j].any()]
            for j in sorted(others, key=lambda j: -features[i] @ features[j])[:k]:
                out[i, j] = max(features[i] @ features[j], 0)
    return out / out.sum(axis=1, keepdims=True)


@given(seeds, st.integers(1, 8))
def test_the_papers_graph_divides_cosines_by_the_roots_of_both_totals(seed: int, k: int) -> None:
    features = features_of(seed)
    rows = slow_content(features, k)
    cosines = rows / np.diag(rows)[:, None]  # an item's cosine with itself is 1
    total = cosines.sum(axis=1)
    got = symmetric(content_neighbours(features, k)).toarray()
    assert got == pytest.approx(cosines / np.sqrt(np.outer(total, total)), abs=1e-5)


@given(seeds)
def test_interactions_are_normalised_by_both_degrees(seed: int) -> None:
    history = history_of(seed)
    got = bipartite(sp.csr_array(history))
    assert got.toarray() == pytest.approx(slow_bipartite(history), abs=1e-6)


@given(seeds, st.integers(1, 8))
def test_content_neighbours_equal_a_dense_search(seed: int, k: int) -> None:
    features = features_of(seed)
    got = content_neighbours(features, k).toarray()
    assert got == pytest.approx(slow_content(features, k), abs=1e-5)


def test_more_items_than_an_exact_search_takes_need_faiss() -> None:
    try:
        import faiss  # noqa: F401
    except ImportError:
        with pytest.raises(FeatureError, match=r"alignrec\[faiss\]"):
            content_neighbours(features_of(1), 2, exact=3)
    else:
        got = content_neighbours(features_of(1), 2, exact=3)
        assert got.toarray() == pytest.approx(content_neighbours(features_of(1), 2).toarray(), abs=1e-5)


@given(seeds, st.integers(1, 4))
def test_nearest_rows_of_an_index(seed: int, k: int) -> None:
    new, index = features_of(seed + 1, 4), features_of(seed)
    got = nearest(new, index, k).toarray()
    for i in range(len(new)):
        known = [j for j in range(len(index)) if index[j].any() and new[i].any()]
        best = sorted(known, key=lambda j: -new[i] @ index[j])[:k]
        expected = [new[i] @ index[j] if j in best else 0 for j in range(len(index))]
        assert got[i] == pytest.approx(expected, abs=1e-6)


def test_a_product_passes_gradients_along_the_transpose() -> None:
    matrix = slow_bipartite(history_of(3))
    x = torch.randn(7, 2, generator=torch.Generator().manual_seed(0), requires_grad=True)
    out = graph(sp.csr_array(matrix)) @ x
    weight = torch.arange(10.0).reshape(5, 2)
    (out * weight).sum().backward()
    assert out.detach().numpy() == pytest.approx(matrix @ x.detach().numpy(), abs=1e-6)
    assert x.grad is not None
    assert x.grad.numpy() == pytest.approx(matrix.T @ weight.numpy(), abs=1e-5)


@pytest.mark.parametrize("layers", [0, 1, 3])
def test_lightgcn_is_the_mean_of_powers_of_the_adjacency(layers: int) -> None:
    block = slow_bipartite(history_of(4))
    adjacency = np.block([[np.zeros((5, 5)), block], [block.T, np.zeros((7, 7))]])
    model = Collaborative(5, 7, 3, layers)
    start = np.vstack([model.user.detach().numpy(), model.item.detach().numpy()])
    expected = np.mean([np.linalg.matrix_power(adjacency, n) @ start for n in range(layers + 1)], axis=0)
    with torch.no_grad():
        vectors = model(graph(sp.csr_array(block)))
    assert vectors.final.user.numpy() == pytest.approx(expected[:5], abs=1e-6)
    assert vectors.final.item.numpy() == pytest.approx(expected[5:], abs=1e-6)


@pytest.mark.parametrize("content_layers", [1, 2])
def test_the_aggregator_and_the_fuser(content_layers: int) -> None:
    block, features = slow_bipartite(history_of(5)), features_of(5)
    neighbours = slow_content(features, 2)
    model = AlignRec(5, torch.from_numpy(features), graph(sp.csr_array(neighbours)), 3, 1, content_layers)
    with torch.no_grad():
        vectors = model(graph(sp.csr_array(block)))
        gate = torch.sigmoid(model.projection(model.features)).numpy()
    item = np.linalg.matrix_power(neighbours, content_layers) @ (model.item.detach().numpy() * gate)
    assert vectors.content is not None
    assert vectors.content.item.numpy() == pytest.approx(item, abs=1e-6)
    assert vectors.content.user.numpy() == pytest.approx(block @ item, abs=1e-6)
    assert vectors.final.item.numpy() == pytest.approx(item + vectors.category.item.numpy(), abs=1e-6)
