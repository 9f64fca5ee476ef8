"""A tiny encoder of pictures and texts with two heads, and a catalogue whose contents tell of one another."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from alignrec.aligner.finetune.items import PixelItems

SIDE, GRID, CODES, VOCABULARY, WIDTH = 8, 4, 4, 12, 16
MASK = VOCABULARY - 1
COLOURS = np.array([[250, 10, 10], [10, 250, 10], [10, 10, 250], [240, 240, 240]], dtype=np.uint8)


class TinyModel(nn.Module):
    """Two Transformer layers over 2 × 2 patches and word pieces."""

    mask_id, width, layers, grid = MASK, WIDTH, 2, GRID

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.patch = nn.Linear(12, WIDTH)
            self.hidden = nn.Parameter(torch.zeros(WIDTH))
            self.cls = nn.Parameter(torch.randn(WIDTH))
            self.piece = nn.Embedding(VOCABULARY, WIDTH)
            self.place = nn.Embedding(64, WIDTH)
            self.blocks = nn.ModuleList(
                nn.TransformerEncoderLayer(WIDTH, 2, 32, 0.0, batch_first=True, norm_first=True)
                for _ in range(self.layers)
            )
            self.code_head, self.word_head = nn.Linear(WIDTH, CODES), nn.Linear(WIDTH, VOCABULARY)

    def states(
        self,
        pixels: Tensor | None,
        ids: Tensor | None,
        mask: Tensor | None,
        masked: Tensor | None,
        inner: int,
    ) -> tuple[Tensor, Tensor]:
        parts, seen = [], []
        if pixels is not None:
            cut = pixels.float().div(255).unfold(1, 2, 2).unfold(2, 2, 2).flatten(3).flatten(1, 2)
            patches = self.patch(cut)
            if masked is not None:
                patches = torch.where(masked.unsqueeze(2), self.hidden, patches)
            places = self.place(torch.arange(GRID * GRID + 1))
            parts.append(torch.cat([self.cls.expand(len(pixels), 1, -1), patches], dim=1) + places)
            seen.append(torch.ones(parts[0].shape[:2], dtype=torch.bool))
        if ids is not None and mask is not None:
            parts.append(self.piece(ids) + self.place(32 + torch.arange(ids.shape[1])))
            seen.append(mask)
        states, unseen = torch.cat(parts, dim=1), ~torch.cat(seen, dim=1)
        early = states
        for number, block in enumerate(self.blocks, start=1):
            states = block(states, src_key_padding_mask=unseen)
            early = states if number == inner else early
        return states, early

    def words(self, states: Tensor) -> Tensor:
        logits: Tensor = self.word_head(states)
        return logits

    def codes(self, states: Tensor) -> Tensor:
        logits: Tensor = self.code_head(states)
        return logits

    def depth_of(self, name: str) -> int:
        if name.startswith("blocks."):
            return int(name.split(".")[1]) + 1
        return self.layers + 1 if "head" in name else 0


def tiny_items(count: int = 96, seed: int = 0) -> PixelItems:
    """Each item has one colour, which is the code of all its patches and the one word of its text.

    Of every eight items one has no text, and one no picture.
    """
    rng = np.random.default_rng(seed)
    colour = rng.integers(len(COLOURS), size=count)
    noise = rng.integers(0, 6, (count, SIDE, SIDE, 3))
    pixels = (COLOURS[colour][:, None, None, :] + noise).clip(0, 255).astype(np.uint8)
    picture, text = np.arange(count) % 8 != 0, np.arange(count) % 8 != 1
    pixels[~picture] = 0
    codes = np.repeat(colour[:, None], GRID * GRID, axis=1).astype(np.int32)
    texts = [[0, 4 + int(c), 4 + int(c), 2][: 3 + i % 2] if text[i] else [] for i, c in enumerate(colour)]
    # A text of one piece or two: [begin, word, (word,) end].
    texts = [[*ids[:-1], 2] if ids else [] for ids in texts]
    return PixelItems(lambda rows: pixels[rows], codes, picture, texts)
