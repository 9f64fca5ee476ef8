"""Inter-content alignment by mask-then-predict (AlignRec, arXiv 2403.12384, section 4.2).

An item is shown without one of its modalities, or with half of the tokens of all. From what is left, `[CLS]`
alone must predict what is hidden: the pooled vector's components (regression) and the codes of the masked
tokens at their places (classification). No decoder sees anything but `[CLS]`, so the item vector has to carry
the item. Frozen tokens know their neighbours, so a token's code is a target only where its whole modality is
hidden; when half is shown, the pooled vector is.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignrec.aligner.pretrain.batches import LONGEST, Batch
from alignrec.aligner.pretrain.encoder import MultimodalEncoder
from alignrec.aligner.pretrain.named_modules import NamedModules

HELD_OUT = "held out "  # before the names of losses on items that only judge
_HALF = "half"
_HALVES = 0.2  # share of complete items that show half of every modality


class Objective(nn.Module):
    """What is learned, around an encoder."""

    encoder: nn.Module

    @abstractmethod
    def losses(
        self,
        batch: Batch,
        items: NDArray[np.int64],
        rng: np.random.Generator,
        way: str | None = None,
    ) -> dict[str, Tensor]:
        """The loss's parts: scalars by name; a modality's own name for the error of it, all hidden.

        Args:
            batch: the items.
            items: their rows in the catalogue, int64 `[b]`.
            rng: draws what is hidden.
            way: the modality that all of them hide; None for one at random.
        """

    def score(self, validation: Mapping[str, float]) -> float:
        """What decides between epochs, the higher the better: all of the losses together, negative."""
        return -sum(value for name, value in validation.items() if name.startswith(HELD_OUT))


def choose_one(
    there: Mapping[str, NDArray[np.bool_]], rng: np.random.Generator
) -> dict[str, NDArray[np.bool_]]:
    """Which one modality each item hides, of those that it has: bool `[b]` for each modality.

    Args:
        there: bool `[b]` for each modality, whether an item has it; at least one modality.
        rng: draws it; items that have none hide none.
    """
    has = np.stack(list(there.values()), axis=1)
    chosen = np.where(has, rng.random(has.shape), -1).argmax(axis=1)
    return {m: (chosen == number) & has[:, number] for number, m in enumerate(there)}


class TokenDecoder(nn.Module):
    """Code logits of a token at a place, from `[CLS]` alone."""

    target: Tensor

    def __init__(self, width: int, codes: int, target: NDArray[np.int64]) -> None:
        """Make a decoder.

        Args:
            width: of `[CLS]`.
            codes: how many codes there are.
            target: the code of each token of the catalogue, int64 `[total]`; not a part of the state.
        """
        super().__init__()
        # On the model's device once and for all, in half the bytes of int64.
        self.register_buffer("target", torch.from_numpy(target.astype(np.int32)), persistent=False)
        self.place = nn.Embedding(LONGEST, width)
        nn.init.normal_(self.place.weight, std=0.02)
        self.head = nn.Sequential(nn.Linear(width, width), nn.GELU(), nn.Linear(width, codes))

    def forward(self, cls: Tensor, place: Tensor) -> Tensor:
        """`[n, width]` and int64 `[n]`, a row a token, to `[n, codes]`."""
        logits: Tensor = self.head(cls + self.place(place))
        return logits


def choose_hidden(valid: Mapping[str, NDArray[np.bool_]], rng: np.random.Generator) -> NDArray[np.str_]:
    """What each item hides, `[b]`: a modality's name, or `half`; items with one modality hide half."""
    modalities = list(valid)
    size = len(valid[modalities[0]])
    hidden = np.array(modalities)[rng.integers(len(modalities), size=size)]
    whole = (rng.random(size) >= _HALVES) & np.all(list(valid.values()), axis=0) & (len(modalities) > 1)
    return np.where(whole, hidden, _HALF)


class MaskThenPredict(Objective):
    """Mask-then-predict around an encoder whose vector has a part a modality."""

    encoder: MultimodalEncoder

    def __init__(self, encoder: MultimodalEncoder, codes: Mapping[str, NDArray[np.int64]]) -> None:
        """Wrap an encoder.

        Args:
            encoder: what is trained.
            codes: for each modality, the code of each token of the catalogue, int64 `[total]`; those that are
                left out are not predicted.
        """
        super().__init__()
        self.encoder = encoder
        settings = encoder.settings
        self.decoders = NamedModules(
            {m: TokenDecoder(settings.width, settings.codes, target) for m, target in codes.items()}
        )

    def losses(
        self,
        batch: Batch,
        items: NDArray[np.int64],
        rng: np.random.Generator,
        way: str | None = None,
    ) -> dict[str, Tensor]:
        """See `forward`; without a way, items hide what `choose_hidden` says."""
        valid = {m: modality.valid.cpu().numpy() for m, modality in batch.items()}
        hidden = choose_hidden(valid, rng) if way is None else np.full(len(items), way)
        losses: dict[str, Tensor] = self(batch, hidden, rng)
        return losses

    def score(self, validation: Mapping[str, float]) -> float:
        """The errors of whole hidden modalities, negative."""
        return -sum(validation.get(f"{HELD_OUT}{m}", 0.0) for m in self.encoder.widths)

    def forward(
        self, batch: Batch, hidden: NDArray[np.str_], noise: np.random.Generator
    ) -> dict[str, Tensor]:
        """Losses by direction: a modality's name (all of it is hidden) and `half`; scalars, where they occur.

        Args:
            batch: the items.
            hidden: what each hides (see `choose_hidden`).
            noise: draws the tokens that are left of items that show half.
        """
        losses: dict[str, Tensor] = {}
        for way in (*batch, _HALF):
            rows = np.flatnonzero(hidden == way)
            if len(rows) and (way == _HALF or self.encoder.settings.predicts(way)):
                items = torch.from_numpy(rows).to(next(iter(batch.values())).valid.device)
                shown = {m: modality.select(items) for m, modality in batch.items()}
                losses |= self._halved(shown, noise) if way == _HALF else self._without(way, shown)
        return losses

    def _without(self, m: str, batch: Batch) -> dict[str, Tensor]:
        """All of a modality is hidden, not even looked at: its vector and its tokens' codes are targets."""
        encoder, settings, gone = self.encoder, self.encoder.settings, batch[m]
        targets = encoder.targets(batch)
        seen = {other: shown.marks for other, shown in batch.items() if other != m}
        cls = encoder.gather(batch, targets, seen)
        losses = {m: (encoder.predict[m](cls) - targets[m]).square().sum(dim=1).mean()}
        if m in self.decoders and gone.mask.any():
            decoder = cast(TokenDecoder, self.decoders[m])
            logits = decoder(cls[gone.mask.nonzero()[:, 0]], gone.position[gone.mask])
            code = decoder.target[gone.row[gone.mask]].long()
            entropy = nn.functional.cross_entropy(logits, code) / np.log(settings.codes)
            losses[f"{m} codes"] = settings.code_weight * entropy
        return losses

    def _halved(self, batch: Batch, noise: np.random.Generator) -> dict[str, Tensor]:
        """Half of all tokens are hidden, and the pooled vectors, which are the targets."""
        encoder = self.encoder
        targets = encoder.targets(batch)
        seen = {}
        for m, whole in batch.items():
            kept = torch.from_numpy(noise.random(tuple(whole.mask.shape)) < 0.5).to(whole.mask.device)
            seen[m] = torch.cat([torch.zeros_like(whole.valid)[:, None], whole.mask & kept], dim=1)
        cls = encoder.gather(batch, targets, seen)
        errors = [
            (encoder.predict[m](cls) - targets[m]).square().sum(dim=1)[batch[m].valid].mean()
            for m in batch
            if encoder.settings.predicts(m) and batch[m].valid.any()
        ]
        return {_HALF: torch.stack(errors).sum()} if errors else {}
