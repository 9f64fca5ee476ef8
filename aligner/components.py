"""The residual path: an item's pooled raw vector, centred, in its principal components."""

from __future__ import annotations

from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignrec.core.vectors import principal_axes, unit_rows


class Components(nn.Module):
    """Unit vectors less their catalogue's mean, projected on its principal components and rescaled.

    `forward` divides component j by sd_j ** whiten, and all by one number that makes the rows of the
    catalogue 1 long in the root mean square. Components beyond the catalogue's rank are zeros.
    """

    mean: Tensor
    basis: Tensor
    spread: Tensor  # standard deviation of each component over the catalogue

    def __init__(self, inputs: int, dim: int) -> None:
        """Make room for `inputs` dimensions in and `dim` out; `fit` fills it."""
        super().__init__()
        self.register_buffer("mean", torch.zeros(inputs))
        self.register_buffer("basis", torch.zeros(inputs, dim))
        self.register_buffer("spread", torch.zeros(dim))

    def fit(self, vectors: NDArray[np.float32], whiten: float) -> Self:
        """Learn the components from the catalogue's vectors, float32 `[n, inputs]`, all of them valid.

        Of no vectors at all, every component is zeros.
        """
        unit = unit_rows(vectors).astype(np.float64)
        count = max(len(unit), 1)
        mean = unit.sum(axis=0) / count
        unit -= mean
        # Of a product of one matrix with itself, half is computed.
        size, axes = principal_axes(unit.T @ unit / count, self.basis.shape[1])
        spread = np.sqrt(np.maximum(size, 0))
        kept = spread > 1e-6 * max(float(spread.max(initial=0)), 1e-12)
        top = axes[:, kept]
        factor = spread[kept] ** -whiten
        factor /= max(float(np.linalg.norm(spread[kept] * factor)), 1e-12)
        self.mean.copy_(torch.from_numpy(mean))
        for buffer, values in ((self.basis, top * factor), (self.spread, spread[kept] * factor)):
            buffer.zero_()[..., : len(factor)] = torch.from_numpy(values)
        return self

    def forward(self, vectors: Tensor) -> Tensor:
        """Components of raw vectors: float32 `[b, inputs]` to `[b, dim]`."""
        return (nn.functional.normalize(vectors, dim=-1) - self.mean) @ self.basis
