"""What an item has of its own: the same for the same, similar for the similar, orthogonal to all others."""

from __future__ import annotations

import pytest
import torch

from alignrec.aligner.own_direction import OwnDirection


@pytest.fixture
def own() -> OwnDirection:
    torch.manual_seed(0)
    return OwnDirection(16, 512)


def test_directions_are_1_long_and_do_not_depend_on_length(own: OwnDirection) -> None:
    vectors = torch.randn(5, 16)
    torch.testing.assert_close(own(vectors).norm(dim=1), torch.ones(5))
    torch.testing.assert_close(own(vectors), own(3 * vectors))


def test_the_more_alike_the_inputs_the_more_alike_the_directions(own: OwnDirection) -> None:
    base, other = torch.nn.functional.normalize(torch.randn(2, 16), dim=1)
    cosines = [
        float((own(base[None]) * own((base + step * other)[None])).sum()) for step in (0, 0.05, 0.2, 3)
    ]
    assert cosines == sorted(cosines, reverse=True)
    assert cosines[1] > 0.9 and abs(cosines[3]) < 0.15


def test_a_rounding_error_stays_one(own: OwnDirection) -> None:
    vectors = torch.randn(50, 16)
    assert float((own(vectors) - own(vectors + 1e-6 * torch.randn(50, 16))).abs().max()) < 1e-5
