"""What stands for the unknown part of an item: a direction that it shares with no other."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_FLAT = 0.01  # a component of less spread than this, in vectors of length 1, is as good as unused
_FREQUENCY = 6.0  # unit vectors with a cosine below 0.9 have nearly nothing in common any more


class UnknownPart(nn.Module):
    """Random Fourier features (Rahimi and Recht, NIPS 2007) of unit vectors, scaled to length 1.

    The same input gives the same direction, and nearly the same a similar one; those of different inputs are
    as good as orthogonal. An item without a text whose image alone filled its vector would, by cosine, look
    sure of what it shows, and be recommended for it; with such a direction in place of the text, it is as
    similar to others as the image says, and no more. Directions keep to the components in which real
    vectors differ least: they should meet those as little as one another.
    """

    frequency: Tensor
    phase: Tensor

    def __init__(self, inputs: int, dim: int) -> None:
        """Draw the features; the caller seeds."""
        super().__init__()
        self.register_buffer("frequency", torch.randn(inputs, dim) * _FREQUENCY)
        self.register_buffer("phase", torch.rand(dim) * 2 * math.pi)

    def forward(self, vectors: Tensor, spread: Tensor) -> Tensor:
        """Directions for vectors.

        Args:
            vectors: float `[b, inputs]`.
            spread: float `[dim]`, of the components that the directions take the place of.

        Returns:
            Unit rows `[b, dim]`.
        """
        unit = nn.functional.normalize(vectors, dim=-1)
        waves = torch.cos(unit @ self.frequency + self.phase)
        return nn.functional.normalize(waves / spread.clamp(min=_FLAT), dim=-1)
