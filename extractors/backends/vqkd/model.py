"""The tokenizer of BEiT v2, VQ-KD (Peng et al., arXiv 2208.06366, section 2.2), without what only trains it.

A Vision Transformer over patches, two layers of `tanh` from its states to a few dimensions, and a codebook: a
patch's code is the vector nearest to those dimensions at length 1. The names of the weights are those of the
published files. Their decoder, which the training of the tokenizer alone has, is not here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn

_EPSILON = 1e-6  # of every norm


@dataclass(frozen=True)
class TokenizerSizes:
    """What decides the shape of every weight.

    Attributes:
        width: of a patch's state.
        layers: how many.
        hidden: width inside a feed-forward.
        heads: of attention; they divide the width.
        patch: side of a patch in pixels.
        image: side of a picture in pixels, a multiple of `patch`.
        codes: how many.
        code_width: of a code's vector.
    """

    width: int
    layers: int
    hidden: int
    heads: int
    patch: int
    image: int
    codes: int
    code_width: int

    @property
    def grid(self) -> int:
        """Patches along a side of a picture."""
        return self.image // self.patch


class _Attention(nn.Module):
    """Queries and values have biases, keys have none."""

    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.heads = sizes.heads
        self.qkv = nn.Linear(sizes.width, 3 * sizes.width, bias=False)
        self.q_bias = nn.Parameter(torch.zeros(sizes.width))
        self.v_bias = nn.Parameter(torch.zeros(sizes.width))
        self.proj = nn.Linear(sizes.width, sizes.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens `[b, t, width]`."""
        query, key, value = self.qkv(tokens).chunk(3, dim=2)
        query, key, value = (
            part.unflatten(2, (self.heads, -1)).transpose(1, 2)
            for part in (query + self.q_bias, key, value + self.v_bias)
        )
        mixed = nn.functional.scaled_dot_product_attention(query, key, value)
        return cast("Tensor", self.proj(mixed.transpose(1, 2).flatten(2)))


class _FeedForward(nn.Module):
    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.fc1 = nn.Linear(sizes.width, sizes.hidden)
        self.fc2 = nn.Linear(sizes.hidden, sizes.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens `[b, t, width]`."""
        return cast("Tensor", self.fc2(nn.functional.gelu(self.fc1(tokens))))


class _Block(nn.Module):
    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.attn = _Attention(sizes)
        self.norm2 = nn.LayerNorm(sizes.width, eps=_EPSILON)
        self.mlp = _FeedForward(sizes)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens `[b, t, width]`."""
        tokens = tokens + self.attn(self.norm1(tokens))
        return cast("Tensor", tokens + self.mlp(self.norm2(tokens)))


class _Patches(nn.Module):
    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, sizes.width, kernel_size=sizes.patch, stride=sizes.patch)


class _Encoder(nn.Module):
    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.patch_embed = _Patches(sizes)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.pos_embed = nn.Parameter(torch.zeros(1, 1 + sizes.grid**2, sizes.width))
        self.blocks = nn.ModuleList(_Block(sizes) for _ in range(sizes.layers))
        self.fc_norm = nn.LayerNorm(sizes.width, eps=_EPSILON)

    def forward(self, pixels: Tensor) -> Tensor:
        """The patches' states `[b, grid · grid, width]` of pictures `[b, 3, image, image]`."""
        patches = self.patch_embed.proj(pixels).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(patches), -1, -1), patches], dim=1) + self.pos_embed
        for block in self.blocks:
            tokens = block(tokens)
        return cast("Tensor", self.fc_norm(tokens[:, 1:]))


class _Codebook(nn.Module):
    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(sizes.codes, sizes.code_width))


class _Quantizer(nn.Module):
    def __init__(self, sizes: TokenizerSizes) -> None:
        super().__init__()
        self.embedding = _Codebook(sizes)


class VQKD(nn.Module):
    """The part of the published tokenizer that gives codes."""

    def __init__(self, sizes: TokenizerSizes) -> None:
        """Make it with random weights, and zeros for its codes."""
        super().__init__()
        self.sizes = sizes
        self.encoder = _Encoder(sizes)
        self.encode_task_layer = nn.Sequential(
            nn.Linear(sizes.width, sizes.width), nn.Tanh(), nn.Linear(sizes.width, sizes.code_width)
        )
        self.quantize = _Quantizer(sizes)

    @property
    def codebook(self) -> Tensor:
        """The codes' vectors, float32 `[codes, code_width]`."""
        return self.quantize.embedding.weight

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """States and code vectors of patches, row by row.

        Args:
            pixels: pictures from -1 to 1, float `[b, 3, image, image]`.

        Returns:
            Their states `[b, grid · grid, width]`, and what the nearest code is found by, of length 1:
            `[b, grid · grid, code_width]`.
        """
        states = self.encoder(pixels)
        return states, nn.functional.normalize(self.encode_task_layer(states), dim=-1)
