"""BEiT-3 (Wang et al., arXiv 2208.10442): one Transformer over patches of a picture and words of a text.

Its shape and the names of its weights are those of the published checkpoints, whose reference is torchscale's
`BEiT3` (MIT): a Magneto encoder (arXiv 2210.06423), with a norm inside attention and feed-forward as well,
and all of it twice, `A` for the picture's tokens, `[CLS]` among them, and `B` for the text's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

# Rows 0 and 1 of a table of positions are of no token: fairseq counts from behind its padding index.
FIRST_POSITION = 2


@dataclass(frozen=True)
class Sizes:
    """What decides the shape of every weight.

    Attributes:
        width: of a token.
        layers: how many.
        hidden: width inside a feed-forward.
        heads: of attention; they divide the width.
        patch: side of a patch in pixels.
        image: side of a picture in pixels, a multiple of `patch`.
        vocabulary: number of word pieces.
        positions: rows of the texts' table of positions, of which the first two are of no token.
        retrieval: whether there are the heads of image-text contrast.
        words: whether there is the head that predicts masked words.
        codes: number of visual codes that the head for masked patches predicts; 0 for no such head.
    """

    width: int
    layers: int
    hidden: int
    heads: int
    patch: int
    image: int
    vocabulary: int
    positions: int = 1024
    retrieval: bool = False
    words: bool = False
    codes: int = 0

    @property
    def patches(self) -> int:
        """How many a picture has."""
        return (self.image // self.patch) ** 2

    @property
    def longest(self) -> int:
        """Most word pieces of a text, those that begin and end it among them."""
        return self.positions - FIRST_POSITION


class Experts(nn.Module):
    """Two copies of a layer: `A` for the tokens of the picture, which come first, and `B` for the text's."""

    def __init__(self, layer: Callable[[], nn.Module]) -> None:
        """Make the copies, each with weights of its own."""
        super().__init__()
        self.A = layer()
        self.B = layer()

    def forward(self, tokens: Tensor, pictures: int) -> Tensor:
        """Tokens `[b, t, ·]`, of which the first `pictures` are the picture's; each through its own copy."""
        parts = ((self.A, tokens[:, :pictures]), (self.B, tokens[:, pictures:]))
        results = [cast("Tensor", layer(part)) for layer, part in parts if part.shape[1]]
        return results[0] if len(results) == 1 else torch.cat(results, dim=1)


class Positions(nn.Embedding):
    """A vector a place, counted from `FIRST_POSITION`."""

    def forward(self, tokens: Tensor) -> Tensor:
        """The vectors `[t, width]` that belong to tokens `[b, t, width]`."""
        return self.weight[FIRST_POSITION : FIRST_POSITION + tokens.shape[1]]


class Attention(nn.Module):
    """All tokens attend to all; every projection is an expert's own."""

    def __init__(self, sizes: Sizes) -> None:
        """Make a layer's attention."""
        super().__init__()
        self.heads = sizes.heads
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (
            Experts(lambda: nn.Linear(sizes.width, sizes.width)) for _ in range(4)
        )
        self.inner_attn_ln = Experts(lambda: nn.LayerNorm(sizes.width))

    def forward(self, tokens: Tensor, pictures: int, mask: Tensor) -> Tensor:
        """Tokens `[b, t, width]`, and bool `[b, t]` of those that may be attended to."""
        query, key, value = (
            projection(tokens, pictures).unflatten(2, (self.heads, -1)).transpose(1, 2)
            for projection in (self.q_proj, self.k_proj, self.v_proj)
        )
        mixed = nn.functional.scaled_dot_product_attention(query, key, value, mask[:, None, None, :])
        normed = self.inner_attn_ln(mixed.transpose(1, 2).flatten(2), pictures)
        return cast("Tensor", self.out_proj(normed, pictures))


class FeedForward(nn.Module):
    """Two linear layers, with a norm of what is between them."""

    def __init__(self, sizes: Sizes) -> None:
        """Make one expert's."""
        super().__init__()
        self.fc1 = nn.Linear(sizes.width, sizes.hidden)
        self.ffn_layernorm = nn.LayerNorm(sizes.hidden)
        self.fc2 = nn.Linear(sizes.hidden, sizes.width)

    def forward(self, tokens: Tensor) -> Tensor:
        """Tokens `[b, t, width]`."""
        hidden = self.ffn_layernorm(nn.functional.gelu(self.fc1(tokens)))
        return cast("Tensor", self.fc2(hidden))


class Layer(nn.Module):
    """Attention and feed-forward, each with a norm before and a residual around it."""

    def __init__(self, sizes: Sizes) -> None:
        """Make a layer."""
        super().__init__()
        self.self_attn = Attention(sizes)
        self.self_attn_layer_norm = Experts(lambda: nn.LayerNorm(sizes.width))
        self.ffn = Experts(lambda: FeedForward(sizes))
        self.final_layer_norm = Experts(lambda: nn.LayerNorm(sizes.width))

    def forward(self, tokens: Tensor, pictures: int, mask: Tensor) -> Tensor:
        """See `Attention.forward`."""
        tokens = tokens + self.self_attn(self.self_attn_layer_norm(tokens, pictures), pictures, mask)
        return cast("Tensor", tokens + self.ffn(self.final_layer_norm(tokens, pictures), pictures))


class Encoder(nn.Module):
    """Positions, the layers, and an expert's norm of what comes out."""

    def __init__(self, sizes: Sizes) -> None:
        """Make it with random weights."""
        super().__init__()
        pictures = FIRST_POSITION + 1 + sizes.patches
        self.embed_positions = nn.ModuleDict(
            {"A": Positions(pictures, sizes.width), "B": Positions(sizes.positions, sizes.width)}
        )
        self.layers = nn.ModuleList(Layer(sizes) for _ in range(sizes.layers))
        self.layer_norm = Experts(lambda: nn.LayerNorm(sizes.width))
        self.recomputes = False  # in training: layers are computed again on the way back, and not remembered

    def forward(
        self, tokens: Tensor, pictures: int, mask: Tensor, inner: int | None = None
    ) -> tuple[Tensor, Tensor]:
        """See `Attention.forward`; padding enters as zeros.

        Returns:
            The states, and those after `inner` layers, which have no norm yet; the last ones without.
        """
        parts = {"A": tokens[:, :pictures], "B": tokens[:, pictures:]}
        places = torch.cat([self.embed_positions[expert](part) for expert, part in parts.items()])
        tokens = (tokens + places) * mask.unsqueeze(2)
        early = tokens
        for number, layer in enumerate(self.layers, start=1):
            if self.recomputes and torch.is_grad_enabled():
                tokens = checkpoint(layer, tokens, pictures, mask, use_reentrant=False)
            else:
                tokens = layer(tokens, pictures, mask)
            if inner is None or number == inner:
                early = tokens
        return cast("Tensor", self.layer_norm(tokens, pictures)), early


class VisionEmbedding(nn.Module):
    """A picture's patches as tokens, `[CLS]` before them."""

    def __init__(self, sizes: Sizes) -> None:
        """Make it with random patches, and zeros for `[CLS]` and for a masked patch."""
        super().__init__()
        self.side = sizes.image
        self.proj = nn.Conv2d(3, sizes.width, kernel_size=sizes.patch, stride=sizes.patch)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, sizes.width))
        self.mask_token = nn.Parameter(torch.zeros(1, 1, sizes.width))

    def forward(self, pixels: Tensor, masked: Tensor | None) -> Tensor:
        """See `BEiT3.forward`."""
        if pixels.shape[1:] != (3, self.side, self.side):
            raise ValueError(
                f"expected pictures [b, 3, {self.side}, {self.side}], which the positions are of, "
                f"got {list(pixels.shape)}"
            )
        tokens = self.proj(pixels).flatten(2).transpose(1, 2)
        if masked is not None:
            tokens = torch.where(masked.unsqueeze(2), self.mask_token, tokens)
        return torch.cat([self.cls_token.expand(len(tokens), -1, -1), tokens], dim=1)


class BEiT3(nn.Module):
    """The encoder of pictures, of texts, and of both at once."""

    def __init__(self, sizes: Sizes) -> None:
        """Make it with random weights; `[CLS]`, and what stands for a masked patch, are zeros."""
        super().__init__()
        self.sizes = sizes
        self.text_embed = nn.Embedding(sizes.vocabulary, sizes.width)
        self.vision_embed = VisionEmbedding(sizes)
        self.encoder = Encoder(sizes)

    def forward(
        self,
        pixels: Tensor | None = None,
        ids: Tensor | None = None,
        mask: Tensor | None = None,
        masked: Tensor | None = None,
    ) -> Tensor:
        """The states of all tokens; see `states`."""
        return self.states(pixels, ids, mask, masked)[0]

    def states(
        self,
        pixels: Tensor | None,
        ids: Tensor | None,
        mask: Tensor | None = None,
        masked: Tensor | None = None,
        inner: int | None = None,
    ) -> tuple[Tensor, Tensor]:
        """The states of all tokens: `[CLS]`, the patches row by row, then the text.

        Args:
            pixels: pictures, float `[b, 3, side, side]`.
            ids: texts, int64 `[b, t]`, at most `Sizes.longest` of them.
            mask: bool `[b, t]`, False where an id is padding; without it none is.
            masked: bool `[b, patches]`, True where a patch is hidden.
            inner: a number of layers.

        Returns:
            float `[b, 1 + patches + t, width]`, each part as far as it is given, and the states after `inner`
            layers. What stands at padding means nothing.

        Raises:
            ValueError: nothing is given, or pictures or texts are of another size than the positions.
        """
        parts: list[Tensor] = []
        if pixels is not None:
            parts.append(self.vision_embed(pixels, masked))
        pictures = parts[0].shape[1] if parts else 0
        if ids is not None:
            if ids.shape[1] > self.sizes.longest:
                raise ValueError(f"a text has at most {self.sizes.longest} word pieces, got {ids.shape[1]}")
            parts.append(self.text_embed(ids))
        if not parts:
            raise ValueError("expected pictures, texts or both, got neither")
        tokens = torch.cat(parts, dim=1)
        seen = torch.ones(tokens.shape[:2], dtype=torch.bool, device=tokens.device)
        if ids is not None and mask is not None:
            seen[:, pictures:] = mask
        return cast("tuple[Tensor, Tensor]", self.encoder(tokens, pictures, seen, inner))


class PublishedBEiT3(nn.Module):
    """The encoder and the heads that a checkpoint has; weights have the names that published files give."""

    def __init__(self, sizes: Sizes) -> None:
        """Make it with random weights."""
        super().__init__()
        self.beit3 = BEiT3(sizes)
        if sizes.retrieval:
            self.vision_head = nn.Linear(sizes.width, sizes.width, bias=False)
            self.language_head = nn.Linear(sizes.width, sizes.width, bias=False)
            self.logit_scale = nn.Parameter(torch.zeros(()))
        if sizes.words:
            self.mlm_head = nn.Linear(sizes.width, sizes.vocabulary)
        if sizes.codes:
            self.mim_head = nn.Linear(sizes.width, sizes.codes)
