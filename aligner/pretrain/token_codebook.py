"""Discrete codes for tokens: k-means on a frozen model's token features, the targets of masked training."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.inputs import TokenSequences
from alignrec.core.vectors import principal_axes

_SAMPLE, _STEPS, _DIM, _BLOCK = 20_000, 10, 64, 16_384


def sample_tokens(sequences: TokenSequences, seed: int) -> NDArray[np.float32]:
    """Up to 20,000 tokens of the catalogue, drawn at random: float32 `[s, d]`."""
    total = len(sequences.values)
    rows = np.sort(np.random.default_rng(seed).choice(total, min(_SAMPLE, total), replace=False))
    return np.asarray(sequences.values[rows], dtype=np.float32)


def token_codes(sequences: TokenSequences, codes: int, seed: int) -> NDArray[np.int64]:
    """The nearest of `codes` k-means centres for each token of the catalogue, int64 `[total]`.

    Distances are taken between centred tokens in their first 64 principal components; k-means runs ten
    Lloyd steps on a sample, from tokens drawn at random.
    """
    if not len(sequences.values):
        return np.zeros(0, dtype=np.int64)
    sample = sample_tokens(sequences, seed)
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
    values = sequences.values
    return np.concatenate(
        [
            _nearest(
                torch.from_numpy((values[i : i + _BLOCK].astype(np.float32) - mean) @ basis), centres
            ).numpy()
            for i in range(0, len(values), _BLOCK)
        ]
    )


def _nearest(points: torch.Tensor, centres: torch.Tensor) -> torch.Tensor:
    return (points @ centres.T - 0.5 * (centres * centres).sum(dim=1)).argmax(dim=1)
