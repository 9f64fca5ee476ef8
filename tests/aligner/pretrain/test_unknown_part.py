"""What stands for an unknown part: equal for equals, similar for the similar, orthogonal to all others."""

from __future__ import annotations

import pytest
import torch

from alignrec.aligner.pretrain.unknown_part import UnknownPart

FLAT = torch.full((512,), 512**-0.5)


@pytest.fixture
def unknown() -> UnknownPart:
    torch.manual_seed(0)
    return UnknownPart(16, 512)


def test_directions_are_1_long_and_do_not_depend_on_length(unknown: UnknownPart) -> None:
    vectors = torch.randn(5, 16)
    torch.testing.assert_close(unknown(vectors, FLAT).norm(dim=1), torch.ones(5))
    torch.testing.assert_close(unknown(vectors, FLAT), unknown(3 * vectors, FLAT))


def test_the_more_alike_the_inputs_the_more_alike_the_directions(unknown: UnknownPart) -> None:
    base, other = torch.nn.functional.normalize(torch.randn(2, 16), dim=1)
    cosines = [
        float((unknown(base[None], FLAT) * unknown((base + step * other)[None], FLAT)).sum())
        for step in (0, 0.05, 0.2, 3)
    ]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[1] > 0.9 and abs(cosines[3]) < 0.15


def test_a_rounding_error_stays_one(unknown: UnknownPart) -> None:
    vectors = torch.randn(50, 16)
    moved = vectors + 1e-6 * torch.randn(50, 16)
    assert float((unknown(vectors, FLAT) - unknown(moved, FLAT)).abs().max()) < 1e-5


def test_they_meet_real_vectors_less_than_a_random_direction_would(unknown: UnknownPart) -> None:
    spread = torch.linspace(1, 0.02, 512)
    spread /= spread.norm()
    real = torch.randn(200, 512) * spread

    def meet(directions: torch.Tensor) -> float:
        return float((directions @ real.T).square().mean().sqrt())

    vectors = torch.randn(50, 16)
    assert meet(unknown(vectors, spread)) < 0.8 * meet(unknown(vectors, FLAT))


def test_unused_components_are_used_and_no_single_one_takes_all(unknown: UnknownPart) -> None:
    spread = FLAT.clone()
    spread[-1] = 0
    shares = unknown(torch.randn(50, 16), spread).square()
    assert 0.001 < float(shares[:, -1].mean()) < 0.1
