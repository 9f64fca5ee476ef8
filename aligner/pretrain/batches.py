"""Batches of items as padded tensors, taken from token sequences that lie end to end, perhaps on disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from alignrec.aligner.inputs import Inputs, ModalityInput

Ints = NDArray[np.int64]
LONGEST = 1024  # tokens of an item and modality that are looked at; those beyond are not


@dataclass(frozen=True, eq=False)
class ModalityBatch:
    """One modality of a batch.

    Attributes:
        pooled: float32 `[b, d]`.
        valid: bool `[b]`, which items have the modality.
        tokens: float32 `[b, t, token_d]`, zeros where there is none.
        mask: bool `[b, t]`, True for real tokens.
        position: int64 `[b, t]`, a token's place in its sequence.
        row: int64 `[b, t]`, a token's row in the catalogue's token table; 0 where there is none.
    """

    pooled: Tensor
    valid: Tensor
    tokens: Tensor
    mask: Tensor
    position: Tensor
    row: Tensor

    @property
    def marks(self) -> Tensor:
        """What there is to see: bool `[b, 1 + t]`, the pooled vector's mark before those of the tokens."""
        return torch.cat([self.valid[:, None], self.mask], dim=1)

    def select(self, items: Tensor) -> ModalityBatch:
        """Some items of the batch: int64 `[c]`, places in it."""
        return ModalityBatch(*(getattr(self, field.name)[items] for field in fields(self)))


Batch = Mapping[str, ModalityBatch]


def draw(lengths: Ints, most: int, rng: np.random.Generator) -> tuple[Ints, NDArray[np.bool_]]:
    """At most `most` distinct places of each sequence, at random: int64 and bool `[b, t]`."""
    keys = rng.random((len(lengths), max(int(lengths.max(initial=0)), 1)))
    keys[np.arange(keys.shape[1]) >= lengths[:, None]] = np.inf
    place = np.argsort(keys, axis=1, kind="stable")[:, :most]
    return place, np.take_along_axis(keys, place, axis=1) < np.inf


def gather(
    inputs: Inputs,
    items: Ints,
    *,
    most: int,
    rng: np.random.Generator | None = None,
    device: str | torch.device = "cpu",
) -> dict[str, ModalityBatch]:
    """The batch of `items`, int64 `[b]`.

    Args:
        inputs: the catalogue.
        items: rows of it.
        most: tokens a modality and item: the first ones, or with `rng` random ones.
        rng: draws the tokens.
        device: where the tensors go.
    """
    return {m: _modality_batch(source, items, most, rng, device) for m, source in inputs.items()}


def _modality_batch(
    source: ModalityInput,
    items: Ints,
    most: int,
    rng: np.random.Generator | None,
    device: str | torch.device,
) -> ModalityBatch:
    sequences = source.tokens
    start = sequences.offsets[items]
    lengths = np.minimum(sequences.offsets[items + 1] - start, LONGEST)
    if rng is None:
        width = max(min(int(lengths.max(initial=0)), most), 1)
        place = np.tile(np.arange(width), (len(items), 1))
        mask = place < lengths[:, None]
    else:
        place, mask = draw(lengths, most, rng)
    row = np.where(mask, start[:, None] + place, 0)

    def put(array: NDArray[np.generic]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    real = put(mask)
    tokens = torch.zeros((*row.shape, sequences.values.shape[1]), device=device)
    tokens[real] = put(sequences.values[row[mask]]).float()  # PyTorch widens float16 faster than numpy
    pooled, valid = put(source.pooled[items]), put(source.valid[items])
    return ModalityBatch(pooled, valid, tokens, real, put(place), put(row))
