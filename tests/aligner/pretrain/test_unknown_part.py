"""What an item has of its own: the same for the same, similar for the similar, orthogonal to all others."""

from __future__ import annotations

import pytest
import torch

from alignrec.aligner.pretrain.unknown_part import OwnDirection

FLAT = torch.full((512,), 512**-0.5)


@pytest.fixture
def own() -> OwnDirection:
    torch.manual_seed(0)
    return OwnDirection(16, 512)


def test_directions_are_1_long_and_do_not_depend_on_length(own: OwnDirection) -> None:
    vectors = torch.randn(5, 16)
    torch.testing.assert_close(own(vectors, FLAT).norm(dim=1), torch.ones(5))
    torch.testing.assert_close(own(vectors, FLAT), own(3 * vectors, FLAT))


def test_the_more_alike_the_inputs_the_more_alike_the_directions(own: OwnDirection) -> None:
    base, other = torch.nn.functional.normalize(torch.randn(2, 16), dim=1)
    cosines = [
        float((own(base[None], FLAT) * own((base + step * other)[None], FLAT)).sum())
        for step in (0, 0.05, 0.2, 3)
    ]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[1] > 0.9 and abs(cosines[3]) < 0.15


def test_a_rounding_error_stays_one(own: OwnDirection) -> None:
    vectors = torch.randn(50, 16)
    assert float((own(vectors, FLAT) - own(vectors + 1e-6 * torch.randn(50, 16), FLAT)).abs().max()) < 1e-5


def test_they_meet_real_vectors_less_than_a_random_direction_would(own: OwnDirection) -> None:
    spread = torch.linspace(1, 0.02, 512)
    spread /= spread.norm()
    real = torch.randn(200, 512) * spread

    def meet(directions: torch.Tensor) -> float:
        return float((directions @ real.T).square().mean().sqrt())

    vectors = torch.randn(50, 16)
    assert meet(own(vectors, spread)) < 0.8 * meet(own(vectors, FLAT))


def test_unused_components_are_used_and_no_single_one_takes_all(own: OwnDirection) -> None:
    spread = FLAT.clone()
    spread[-1] = 0
    shares = own(torch.randn(50, 16), spread).square()
    assert 0.001 < float(shares[:, -1].mean()) < 0.1
