"""The gradient of every loss equals the one derived by hand, on a few rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from alignrec.aligner.train import losses

Floats = NDArray[np.float64]
RNG = np.random.default_rng(0)
A, B, C = (RNG.standard_normal((3, 4)) for _ in range(3))


def gradients(loss: Callable[..., torch.Tensor], *inputs: Floats) -> list[Floats]:
    tensors = [torch.from_numpy(x).requires_grad_() for x in inputs]
    loss(*tensors).backward()
    return [t.grad.numpy() for t in tensors if t.grad is not None]


def unit(x: Floats) -> Floats:
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def through_unit(x: Floats, g: Floats) -> Floats:
    """Of x / |x|: g loses its part along x, and is divided by |x|."""
    n = unit(x)
    return (g - (g * n).sum(axis=1, keepdims=True) * n) / np.linalg.norm(x, axis=1, keepdims=True)


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def softmax(x: Floats) -> Floats:
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def test_bpr() -> None:
    slope = -sigmoid(-(A * (B - C)).sum(axis=1))[:, None] / len(A)
    got = gradients(losses.bpr, A, B, C)
    for g, expected in zip(got, (slope * (B - C), slope * A, -slope * A), strict=True):
        assert g == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_softmax_over_the_catalogue(share: float) -> None:
    user, positive, candidate = A[:2], B, np.vstack([C, RNG.standard_normal((2, 4))])
    row = np.array([0, 1, 1])
    own = np.array([[True, False, False, False, False], [False, True, True, False, False]])
    tau = 0.2
    u, p, c = unit(user), unit(positive), unit(candidate)
    others = np.where(own, -np.inf, u @ c.T / tau)
    total = np.log(np.exp(others).sum(axis=1) / share)
    chosen = (u[row] * p).sum(axis=1) / tau
    weight = np.array([1.0, 2.0, 0.5])
    slope = sigmoid(total[row] - chosen) * weight / weight.sum()
    onto = np.zeros((2, 3))
    onto[row, np.arange(3)] = 1
    towards = np.diag(onto @ slope) @ softmax(others)  # the loss by each user's logits
    d_user = (towards @ c - onto @ (slope[:, None] * p)) / tau
    d_positive = -slope[:, None] * u[row] / tau
    d_candidate = towards.T @ u / tau
    got = gradients(
        lambda a, b, d: losses.catalogue_softmax(
            a, b, torch.from_numpy(row), torch.from_numpy(weight), d, torch.from_numpy(own), tau, share
        ),
        user,
        positive,
        candidate,
    )
    for g, x, d in zip(got, (user, positive, candidate), (d_user, d_positive, d_candidate), strict=True):
        assert g == pytest.approx(through_unit(x, d), abs=1e-9)


def test_the_softmax_of_the_whole_catalogue_is_the_textbook_one() -> None:
    """With nothing else touched, each term is cross-entropy among the positive and all other items."""
    user, item = torch.from_numpy(A[:1]), torch.from_numpy(np.vstack([B, C]))
    own = torch.tensor([[True] + [False] * 5])
    got = losses.catalogue_softmax(user, item[:1], torch.tensor([0]), torch.ones(1), item, own, 0.2, 1.0)
    logits = torch.nn.functional.cosine_similarity(user, item, dim=1) / 0.2
    assert got.item() == pytest.approx(torch.nn.functional.cross_entropy(logits, torch.tensor(0)).item())


def test_contrast() -> None:
    tau = 0.3
    u, v = unit(A), unit(B)
    towards = (softmax(u @ v.T / tau) - np.eye(3)) / 3 / tau
    got = gradients(lambda a, b: losses.contrast(a, b, tau), A, B)
    assert got[0] == pytest.approx(through_unit(A, towards @ v), abs=1e-9)
    assert got[1] == pytest.approx(through_unit(B, towards.T @ u), abs=1e-9)


def test_user_item() -> None:
    got = gradients(losses.user_item, A, B)
    assert got[0] == pytest.approx(through_unit(A, -unit(B) / 3), abs=1e-9)
    assert got[1] == pytest.approx(through_unit(B, -unit(A) / 3), abs=1e-9)


def test_similarity() -> None:
    target = unit(B) @ unit(B).T
    apart = unit(A) @ unit(A).T - target
    towards = 2 * apart / np.linalg.norm(apart) @ unit(A) / 3
    got = gradients(lambda a: losses.similarity(a, torch.from_numpy(target)), A)
    assert got[0] == pytest.approx(through_unit(A, towards), abs=1e-9)


def test_half_square() -> None:
    got = gradients(losses.half_square, A, B)
    assert got[0] == pytest.approx(A / 3)
    assert got[1] == pytest.approx(B / 3)


@pytest.mark.parametrize("threads", [1, 2])
def test_rows_add_repeated_gradients_up_the_same_on_any_number_of_threads(threads: int) -> None:
    rng = np.random.default_rng(3)
    matrix, index = rng.standard_normal((50, 64)), torch.from_numpy(rng.integers(50, size=40_000))
    weight = rng.standard_normal((40_000, 64))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        ours = [
            gradients(lambda m: (losses.rows(m, index) * torch.from_numpy(weight)).sum(), matrix)[0]
            for _ in range(3)
        ]
    finally:
        torch.set_num_threads(before)
    expected = np.zeros_like(matrix)
    np.add.at(expected, index.numpy(), weight)  # one after the other, in the order of the index
    assert all(one.tobytes() == expected.tobytes() for one in ours)
