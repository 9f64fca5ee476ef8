"""Inter-content alignment by mask-then-predict (AlignRec, arXiv 2403.12384, section 4.2).

An item is shown in one of three ways: without its image, without its text, or with half of both sides'
tokens. From what is left, `[CLS]` alone must tell the hidden side: its pooled vector's components
(regression) and the codes of its masked tokens at their places (classification). No decoder sees anything
but `[CLS]`, so the item vector has to carry the item. Frozen tokens know their neighbours, so a token's
code is a target only where its whole side is hidden; when half is shown, the pooled vector is.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignrec.aligner.batches import LONGEST, Batch
from alignrec.aligner.multimodal import MultimodalEncoder

_HALF = "half"


class TokenDecoder(nn.Module):
    """Code logits of a token at a place, from `[CLS]` alone."""

    def __init__(self, width: int, codes: int) -> None:
        """Make a decoder for `codes` codes."""
        super().__init__()
        self.place = nn.Embedding(LONGEST, width)
        nn.init.normal_(self.place.weight, std=0.02)
        self.head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, codes))

    def forward(self, cls: Tensor, place: Tensor) -> Tensor:
        """`[b, width]` and int64 `[b, t]` to `[b, t, codes]`."""
        logits: Tensor = self.head(cls[:, None] + self.place(place))
        return logits


def choose_hidden(valid: Mapping[str, NDArray[np.bool_]], rng: np.random.Generator) -> NDArray[np.str_]:
    """What each item hides, `[b]`: a modality's name, or `half`; items with one modality hide half."""
    modalities = list(valid)
    choice = np.array([*modalities, _HALF])[rng.integers(len(modalities) + 1, size=len(valid[modalities[0]]))]
    complete = np.all(list(valid.values()), axis=0) & (len(modalities) > 1)
    return np.where(complete, choice, _HALF)


class MaskThenPredict(nn.Module):
    """The training objective around an encoder."""

    def __init__(self, encoder: MultimodalEncoder, codes: Mapping[str, NDArray[np.int64]]) -> None:
        """Wrap an encoder.

        Args:
            encoder: what is trained.
            codes: for each modality, the code of each token of the catalogue, int64 `[total]`.
        """
        super().__init__()
        self.encoder = encoder
        settings = encoder.settings
        self.decoders = nn.ModuleDict({m: TokenDecoder(settings.width, settings.codes) for m in codes})
        self.codes = {m: torch.from_numpy(c) for m, c in codes.items()}

    def forward(
        self, batch: Batch, hidden: NDArray[np.str_], noise: np.random.Generator
    ) -> dict[str, Tensor]:
        """Losses by direction: `image`, `text` (whole side hidden) and `half`; scalars, where they occur.

        Args:
            batch: the items.
            hidden: what each hides (see `choose_hidden`).
            noise: draws the tokens that are left of items that show half.
        """
        encoder, settings = self.encoder, self.encoder.settings
        targets = encoder.targets(batch)
        gone = {m: torch.from_numpy(hidden == m).to(s.valid.device) for m, s in batch.items()}
        half = torch.from_numpy(hidden == _HALF).to(next(iter(batch.values())).valid.device)
        seen = {}
        for m, side in batch.items():
            kept = torch.from_numpy(noise.random(tuple(side.mask.shape)) < 0.5).to(side.mask.device)
            tokens = side.mask & ~gone[m][:, None] & (kept | ~half[:, None])
            seen[m] = torch.cat([(side.valid & ~gone[m] & ~half)[:, None], tokens], dim=1)
        cls = encoder.gather(batch, targets, seen)
        losses: dict[str, Tensor] = {}
        for m in settings.predict:
            if m not in batch:
                continue
            side = batch[m]
            error = (encoder.predict[m](cls) - targets[m]).square().sum(dim=1)
            for name, rows in ((m, gone[m] & side.valid), (_HALF, half & side.valid)):
                if rows.any():
                    losses[name] = losses.get(name, torch.zeros((), device=cls.device)) + error[rows].mean()
            target = gone[m][:, None] & side.mask
            if settings.code_weight and target.any():
                logits = self.decoders[m](cls, side.position)[target]
                code = self.codes[m].to(cls.device)[side.row[target]]
                entropy = nn.functional.cross_entropy(logits, code) / np.log(settings.codes)
                losses[f"{m} codes"] = settings.code_weight * entropy
        return losses
