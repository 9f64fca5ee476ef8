"""Products along interactions, against the same edge by edge."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from alignrec.aligner.recommenders.edges import Edges
from tests.aligner.recommenders.small import CPU, HISTORY


def softmax(scores: list[float]) -> np.ndarray[Any, Any]:
    powers: np.ndarray[Any, Any] = np.exp(scores)
    return powers / powers.sum()


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3), st.integers(0, 99))
def test_sums_and_dots_and_their_gradients_are_those_of_each_edge(
    users: int, items: int, dim: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    liked = rng.random((users, items)) < 0.5
    edges = Edges.of(sp.csr_array(liked.astype(np.float32)), CPU)
    row, column = (torch.from_numpy(ends) for ends in np.nonzero(liked))
    user, item, weights, beyond, apart = (
        torch.from_numpy(rng.normal(size=shape).astype(np.float32))
        for shape in ((users, dim), (items, dim), (len(row),), (users, dim), (items, dim))
    )

    def ours(user: Tensor, item: Tensor, weights: Tensor) -> tuple[Tensor, ...]:
        back = edges.transpose
        return (
            edges.sums(weights, item),
            back.sums(weights, user),
            edges.dots(user, item),
            back.dots(item, user),
            back.transpose.sums(weights, item),
        )

    def plain(user: Tensor, item: Tensor, weights: Tensor) -> tuple[Tensor, ...]:
        to_user = torch.zeros(users, dim).index_add(0, row, weights[:, None] * item[column])
        to_item = torch.zeros(items, dim).index_add(0, column, weights[:, None] * user[row])
        dots = (user[row] * item[column]).sum(dim=1)
        return to_user, to_item, dots, dots, to_user

    found = []
    for way in (ours, plain):
        leaves = [x.clone().requires_grad_() for x in (user, item, weights)]
        results = way(*leaves)
        (results[0] * beyond).sum().backward(retain_graph=True)
        ((results[1] * apart).sum() + (results[2] * weights).sum() + results[3].square().sum()).backward()
        found.append([*(x.detach() for x in results), *(x.grad for x in leaves)])
    for mine, wanted in zip(*found, strict=True):
        assert mine is not None and wanted is not None
        torch.testing.assert_close(mine, wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("back", [False, True])
def test_shares_add_up_to_one_for_every_user_or_item(back: bool) -> None:
    edges = Edges.of(HISTORY, CPU)
    edges = edges.transpose if back else edges
    shares = edges.softmax(torch.arange(HISTORY.nnz, dtype=torch.float32))
    totals = np.bincount(edges.row.numpy(), weights=shares.numpy())
    assert totals[totals > 0] == pytest.approx(1)


def test_shares_are_a_softmax_among_edges_of_one_end_however_large_the_scores() -> None:
    edges = Edges.of(HISTORY, CPU)
    scores = torch.tensor([1.0, 2.0, 3.0, 400.0, 401.0, -500.0, -500.0, -500.0], requires_grad=True)
    shares = edges.softmax(scores)
    wanted = [*softmax([1, 2, 3]), *softmax([0, 1]), 1 / 3, 1 / 3, 1 / 3]
    assert shares.tolist() == pytest.approx(wanted, abs=1e-6)
    shares[1].backward()
    first = softmax([1, 2, 3])
    assert scores.grad is not None
    assert scores.grad[:3].tolist() == pytest.approx(first[1] * ((np.arange(3) == 1) - first), abs=1e-6)
    assert not scores.grad[3:].any()
