"""MMEnc: a Multiway Transformer, as in BEiT-3 (Wang et al., arXiv 2208.10442, section 2.1).

All tokens attend to all; everything else - norms, projections, feed-forward - is separate for each way:
`[CLS]` and each modality. Front ends give it tokens of its own width, so others than ours can.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import torch
from torch import Tensor, nn

from alignrec.aligner.pretrain.named_modules import NamedModules
from alignrec.aligner.pretrain.row_dropout import RowDropout, Rows
from alignrec.aligner.processes import ALONE, Processes

CLS = "cls"


class Multiway(nn.Module):
    """A copy of a layer for each way."""

    def __init__(self, ways: tuple[str, ...], layer: Callable[[], nn.Module]) -> None:
        """Make the copies, each with weights of its own."""
        super().__init__()
        self.ways = NamedModules({way: layer() for way in ways})

    def forward(self, parts: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Each way's tokens `[b, t, ·]` through its own copy."""
        return {way: self.ways[way](tokens) for way, tokens in parts.items()}


class Block(nn.Module):
    """Joint attention and feed-forward, each with a norm before and a residual around it."""

    def __init__(self, ways: tuple[str, ...], width: int, heads: int, dropout: float) -> None:
        """Make a block of `width`, which `heads` divides."""
        super().__init__()
        self.heads = heads
        self.dropout = RowDropout(dropout)
        self.norm = Multiway(ways, lambda: nn.LayerNorm(width))
        self.qkv = Multiway(ways, lambda: nn.Linear(width, 3 * width))
        self.out = Multiway(ways, lambda: nn.Linear(width, width))
        self.feed = Multiway(
            ways,
            lambda: nn.Sequential(
                nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
            ),
        )

    def forward(
        self, parts: Mapping[str, Tensor], mask: Tensor, rows: Rows | None = None
    ) -> dict[str, Tensor]:
        """Tokens of each way `[b, t, width]`, and which of all are there, bool `[b, sum of t]`.

        With `rows`, these are the ones of a larger batch.
        """
        mixed = self.out(self._attend(self.qkv(self.norm(parts)), mask))
        middle = {way: tokens + self.dropout(mixed[way], rows) for way, tokens in parts.items()}
        fed = self.feed(middle)
        return {way: tokens + self.dropout(fed[way], rows) for way, tokens in middle.items()}

    def _attend(self, qkv: Mapping[str, Tensor], mask: Tensor) -> dict[str, Tensor]:
        joint = torch.cat(list(qkv.values()), dim=1)
        b, t, wide = joint.shape
        # No size is left open: of a small batch, one of several processes has no row.
        query, key, value = joint.view(b, t, 3, self.heads, wide // 3 // self.heads).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(query, key, value, mask[:, None, None, :])
        mixed = seen.transpose(1, 2).reshape(b, t, wide // 3)
        ends = torch.tensor([part.shape[1] for part in qkv.values()]).cumsum(dim=0)[:-1]
        return dict(zip(qkv, torch.tensor_split(mixed, ends, dim=1), strict=True))


class MMEnc(nn.Module):
    """`[CLS]` and the tokens of all modalities, jointly; what comes out of `[CLS]` speaks for the item.

    Attributes:
        processes: that share the rows of a batch in training, each giving the whole batch.
    """

    processes: Processes = ALONE

    def __init__(
        self, modalities: tuple[str, ...], width: int, depth: int, heads: int, dropout: float = 0.0
    ) -> None:
        """Make an encoder of any width, depth and number of heads.

        Raises:
            ValueError: the heads do not divide the width.
        """
        if width % heads:
            raise ValueError(f"the number of heads must divide the width, got {heads} and {width}")
        super().__init__()
        ways = (CLS, *modalities)
        self.cls = nn.Parameter(torch.randn(width) * 0.02)
        self.blocks = nn.ModuleList(Block(ways, width, heads, dropout) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> Tensor:
        """What `[CLS]` gathers.

        Args:
            tokens: for each modality, float `[b, t, width]`; t may differ.
            masks: for each modality, bool `[b, t]`, True where a token may be seen.

        Returns:
            float `[b, width]`.
        """
        return self._of_all(cast("Tensor", self.norm(self._run(tokens, masks)[CLS][:, 0])), masks)

    def states(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What comes out of every token, float `[b, t, width]` a way, `[CLS]` `[b, 1, width]` first."""
        states = self._run(tokens, masks)
        return {way: self._of_all(self.norm(part), masks) for way, part in states.items()}

    @property
    def _is_shared(self) -> bool:
        return self.training and self.processes.count > 1

    def _run(self, tokens: Mapping[str, Tensor], masks: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Every token's state, of this process's share of the rows."""
        b, rows = len(next(iter(tokens.values()))), None
        parts = {CLS: self.cls.expand(b, 1, -1), **tokens}
        mask = torch.cat([self.cls.new_ones(b, 1, dtype=torch.bool), *(masks[m] for m in tokens)], dim=1)
        if self._is_shared:
            rows = Rows(self.processes.share(b), b)
            parts, mask = {way: part[rows.mine] for way, part in parts.items()}, mask[rows.mine]
        for block in self.blocks:
            parts = block(parts, mask, rows)
        return parts

    def _of_all(self, states: Tensor, masks: Mapping[str, Tensor]) -> Tensor:
        """The states of all rows of the batch, of this process's."""
        return self.processes.gather(states, len(next(iter(masks.values())))) if self._is_shared else states
