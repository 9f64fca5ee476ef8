"""Dropout that says the same of a row whether or not the rest of its batch is computed here."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Rows:
    """Some rows of a batch.

    Attributes:
        mine: which.
        total: how many the batch has.
    """

    mine: slice
    total: int


class RowDropout(nn.Dropout):
    """PyTorch's dropout, of a whole batch or of some of its rows."""

    def forward(self, x: Tensor, rows: Rows | None = None) -> Tensor:
        """Drop elements in training.

        Args:
            x: float `[b, ·]`, contiguous.
            rows: which rows of a larger batch these are; on a CPU exactly that is dropped of them which would
                be if the larger one were given.
        """
        if rows is None or not self.training or self.p == 0:
            return super().forward(x)
        kept = torch.empty(rows.total, *x.shape[1:], dtype=x.dtype, device=x.device)
        return x * kept.bernoulli_(1 - self.p).div_(1 - self.p)[rows.mine]
