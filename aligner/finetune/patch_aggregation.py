"""Patch aggregation of BEiT v2 (Peng et al., arXiv 2208.06366, section 2.3): `[CLS]` has to tell the patches.

The last state of `[CLS]` goes with the patches' states of an inner layer through two layers that are thrown
away after training, and the hidden patches are predicted from what comes out. The inner states know less of
the picture than the last, so what is missing has to be in `[CLS]`. Of a pair, its text is left out here, so
that `[CLS]` has to hold what the text tells too: BEiT v2 knows no texts, and BEiT-3 does not have this.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

_LAYERS, _HEAD_WIDTH = 2, 64


class PatchAggregation(nn.Module):
    """Two Transformer layers over `[CLS]` and patches."""

    def __init__(self, width: int) -> None:
        """Make them with random weights, for states of a width that 64 divides, or else with one head."""
        super().__init__()
        heads = width // _HEAD_WIDTH if width % _HEAD_WIDTH == 0 else 1
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, heads, 4 * width, 0.0, nn.functional.gelu, batch_first=True, norm_first=True
            )
            for _ in range(_LAYERS)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, cls: Tensor, patches: Tensor) -> Tensor:
        """States of the patches `[b, p, width]`, from those of `[CLS]` `[b, 1, width]` and inner ones."""
        states = torch.cat([cls, patches], dim=1)
        for layer in self.layers:
            states = layer(states)
        return cast("Tensor", self.norm(states[:, 1:]))
