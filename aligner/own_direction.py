"""What stands for what is not known of an item: a direction that it shares with no other."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_FREQUENCY = 6.0  # unit vectors with a cosine below 0.9 have nearly nothing in common any more


class OwnDirection(nn.Module):
    """Random Fourier features (Rahimi and Recht, NIPS 2007) of unit vectors, made 1 long.

    The same input gives the same direction, and nearly the same a similar one; those of different inputs are
    as good as orthogonal. An item without a text whose image alone filled its vector would, by cosine, look
    sure of what it shows, and be recommended for it; with a direction of its own in place of the text, it is
    as similar to others as the image says, and no more.
    """

    frequency: Tensor
    phase: Tensor

    def __init__(self, inputs: int, dim: int) -> None:
        """Draw the features; the caller seeds."""
        super().__init__()
        self.register_buffer("frequency", torch.randn(inputs, dim) * _FREQUENCY)
        self.register_buffer("phase", torch.rand(dim) * 2 * math.pi)

    def forward(self, vectors: Tensor) -> Tensor:
        """Float `[b, inputs]` to unit rows `[b, dim]`."""
        unit = nn.functional.normalize(vectors, dim=-1)
        return nn.functional.normalize(torch.cos(unit @ self.frequency + self.phase), dim=-1)
