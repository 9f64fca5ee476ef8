"""Text as labels, of SuperClass (Huang et al., arXiv 2411.03313): `[CLS]` has to name the text's word pieces.

SuperClass trains a picture's vector alone by them. Here a text's and a pair's are trained by them too, where
masked prediction leaves the last state of `[CLS]` without a gradient. From a picture the words have to be
predicted; beside its own text, half or most of which can be seen, `[CLS]` has to hold on to them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn


def rarity_of(texts: Sequence[Sequence[int]]) -> NDArray[np.float32]:
    """The logarithm of one over the share of the texts that have a word piece, float32 `[largest id + 1]`.

    What every text has, such as what begins and ends it, has 0; what none has, too.

    Args:
        texts: ids of word pieces; those without any are passed over.
    """
    known = [np.unique(ids) for ids in texts if len(ids)]
    frequency = np.bincount(np.concatenate([*known, np.zeros(0, dtype=np.int64)]), minlength=1)
    rarity = np.zeros(len(frequency), dtype=np.float32)
    there = frequency > 0
    rarity[there] = np.log(len(known) / frequency[there])
    return rarity


class TextLabels(nn.Module):
    """The loss of naming texts, in which a rare word piece counts more."""

    def __init__(self, rarity: NDArray[np.float32]) -> None:
        """Take what each word piece weighs, float32 `[pieces]`, as `rarity_of` gives it."""
        super().__init__()
        self.rarity: Tensor
        self.register_buffer("rarity", torch.from_numpy(rarity), persistent=False)

    def forward(self, logits: Tensor, ids: Tensor, real: Tensor) -> Tensor:
        """Cross-entropy to each text's pieces, whose weights are divided by their sum; summed over texts.

        Args:
            logits: of all word pieces, `[b, vocabulary]`.
            ids: the texts, int64 `[b, t]`; a piece that comes twice counts twice.
            real: bool `[b, t]`, False at padding. A text without a piece that weighs anything adds nothing.
        """
        weights = self.rarity[ids] * real
        shares = weights / weights.sum(dim=1, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)
        chances = logits.float().log_softmax(dim=1).gather(1, ids)
        return -(shares * chances).sum()
