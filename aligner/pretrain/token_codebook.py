"""Discrete codes for tokens: k-means on a frozen model's token features, the targets of masked training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.inputs import TokenSequences
from alignrec.core.vectors import principal_axes

_SAMPLE, _STEPS, _DIM, _BLOCK = 20_000, 10, 64, 16_384
_CELLS = 1 << 24  # of a table of distances at once


@dataclass(frozen=True, eq=False)
class TokenCodebook:
    """K-means centres among centred tokens in their first principal components.

    Attributes:
        mean: of the tokens that it is fitted to, float32 `[d]`.
        basis: float32 `[d, 64]`, or as many components as there are.
        centres: float32 `[codes, 64]`.
    """

    mean: torch.Tensor
    basis: torch.Tensor
    centres: torch.Tensor

    @classmethod
    def fitted(cls, sample: NDArray[np.float32], codes: int, seed: int) -> TokenCodebook:
        """At most `codes` centres of tokens float32 `[s, d]`: ten Lloyd steps from tokens drawn at random."""
        mean = sample.mean(axis=0)
        centred = sample - mean
        basis = np.ascontiguousarray(principal_axes(centred.T @ centred, _DIM)[1])
        points = torch.from_numpy(centred @ basis)
        start = np.random.default_rng(seed).choice(len(points), min(codes, len(points)), replace=False)
        centres = points[torch.from_numpy(start)]
        for _ in range(_STEPS):
            code = _nearest(points, centres)
            sums = torch.zeros_like(centres).index_add_(0, code, points)
            counts = torch.bincount(code, minlength=len(centres))[:, None]
            centres = torch.where(counts > 0, sums / counts.clamp(min=1), centres)
        return cls(torch.from_numpy(mean), torch.from_numpy(basis), centres)

    def codes(self, values: NDArray[np.floating]) -> NDArray[np.int64]:
        """The nearest centre of each token `[t, d]`, int64 `[t]`."""
        mean, basis = self.mean.numpy(), self.basis.numpy()
        found = [
            _nearest(
                torch.from_numpy((values[i : i + _BLOCK].astype(np.float32) - mean) @ basis), self.centres
            ).numpy()
            for i in range(0, len(values), _BLOCK)
        ]
        return np.concatenate(found) if found else np.zeros(0, dtype=np.int64)


def sample_tokens(sequences: TokenSequences, seed: int) -> NDArray[np.float32]:
    """Up to 20,000 tokens of the catalogue, drawn at random: float32 `[s, d]`."""
    total = len(sequences.values)
    rows = np.sort(np.random.default_rng(seed).choice(total, min(_SAMPLE, total), replace=False))
    return np.asarray(sequences.values[rows], dtype=np.float32)


def token_codes(sequences: TokenSequences, codes: int, seed: int) -> NDArray[np.int64]:
    """The code of each token of the catalogue, int64 `[total]`, by a codebook fitted to a sample of them."""
    if not len(sequences.values):
        return np.zeros(0, dtype=np.int64)
    return TokenCodebook.fitted(sample_tokens(sequences, seed), codes, seed).codes(sequences.values)


def _nearest(points: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    """In blocks, so that no table of all distances is in memory where centres are many."""
    lengths = 0.5 * (centres * centres).sum(dim=1)
    blocks = torch.split(points, max(1, _CELLS // len(centres)))
    return torch.cat([(block @ centres.T - lengths).argmax(dim=1) for block in blocks])
