"""Similar items with symmetric degree weights, and the spread over interactions, against loops."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from alignrec.aligner.recommenders.graphs import id_vectors, item_graph, linear, spread
from alignrec.aligner.train.graphs import bipartite, graph
from alignrec.aligner.train.model import UserItemVectors
from tests.aligner.recommenders.small import HISTORY, IMAGE, ITEMS, TEXT, USERS, lightgcn, similar_items


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("k", [1, 2, 4])
def test_neighbours_are_those_of_loops(k: int, *, weighted: bool) -> None:
    for features in (IMAGE, TEXT):
        found = item_graph(features, k, weighted=weighted).toarray()
        assert found == pytest.approx(similar_items(features, k, weighted=weighted), abs=1e-6)


def test_who_lacks_the_modality_has_no_neighbours_and_no_nan() -> None:
    found = item_graph(TEXT, 6, weighted=True).toarray()
    assert not found[2].any() and not found[:, 2].any() and np.isfinite(found).all()


def test_vectors_spread_as_lightgcn_has_it() -> None:
    rng = np.random.default_rng(0)
    user, item = rng.standard_normal((USERS, 2)), rng.standard_normal((ITEMS, 2))
    start = UserItemVectors(torch.from_numpy(user).float(), torch.from_numpy(item).float())
    found = spread(graph(bipartite(HISTORY)), start, 3)
    wanted = lightgcn(user, item, 3)
    assert found.user.numpy() == pytest.approx(wanted[0], abs=1e-6)
    assert found.item.numpy() == pytest.approx(wanted[1], abs=1e-6)


def test_parameters_begin_within_xavier_s_bounds() -> None:
    torch.manual_seed(0)
    bound = np.sqrt(6 / (40 + 10))
    layer = linear(10, 40)
    for drawn in (id_vectors(40, 10), layer.weight):
        assert 0.9 * bound < drawn.abs().max().item() <= bound
    assert layer.bias is not None and not layer.bias.any()
    assert linear(10, 40, bias=False).bias is None
