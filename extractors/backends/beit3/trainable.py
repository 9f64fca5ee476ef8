"""BEiT-3 to be fine-tuned by mask-then-predict: raw pictures in, codes and word pieces out."""

from __future__ import annotations

import re
from dataclasses import replace

import torch
from torch import Tensor, nn

from alignrec.extractors.backends.beit3.model import PublishedBEiT3
from alignrec.extractors.backends.beit3.preparation import scaled
from alignrec.extractors.errors import ExtractorError

_LAYER = re.compile(r"published\.beit3\.encoder\.layers\.(\d+)\.")
_HEADS = ("published.mlm_head.", "published.mim_head.", "published.beit3.encoder.layer_norm.")
_SPREAD = 0.02  # of a new head's weights


class TrainableBEiT3(nn.Module):
    """A checkpoint's model with both heads of masked prediction.

    Attributes:
        published: what is trained, in the form that checkpoints have.
        mask_id: the id of a hidden word piece.
        width: of a state.
        layers: how many.
        grid: patches along a side of a picture.
    """

    def __init__(
        self,
        model: PublishedBEiT3,
        mask_id: int,
        codes: int,
        seed: int,
        *,
        recompute: bool = False,
        keep_codes: bool = False,
    ) -> None:
        """Give a model the heads that it lacks; that of the codes is new where the codes are.

        Args:
            model: is changed.
            mask_id: see the class.
            codes: how many visual codes there are.
            seed: of the new heads.
            recompute: whether layers are computed twice, for less memory.
            keep_codes: whether the codes are those that a model was pretrained to predict; its head of as
                many codes then stays.

        Raises:
            ExtractorError: the model knows no id of a hidden word piece.
        """
        super().__init__()
        sizes = model.beit3.sizes
        if not 0 <= mask_id < sizes.vocabulary:
            raise ExtractorError(
                f"a hidden word piece has the id {mask_id}, the model knows {sizes.vocabulary}"
            )
        generator = torch.Generator().manual_seed(seed)
        if not keep_codes or sizes.codes != codes:
            model.mim_head = _head(sizes.width, codes, generator)
        if not sizes.words:
            model.mlm_head = _head(sizes.width, sizes.vocabulary, generator)
        model.beit3.sizes = replace(sizes, words=True, codes=codes)
        model.beit3.encoder.recomputes = recompute
        self.published, self.mask_id = model, mask_id
        self.width, self.layers, self.grid = sizes.width, sizes.layers, sizes.image // sizes.patch

    def states(
        self,
        pixels: Tensor | None,
        ids: Tensor | None,
        mask: Tensor | None,
        masked: Tensor | None,
        inner: int,
    ) -> tuple[Tensor, Tensor]:
        """See `BEiT3.states`; pictures are uint8 `[b, side, side, 3]`."""
        given = None if pixels is None else scaled(pixels)
        return self.published.beit3.states(given, ids, mask, masked, inner)

    def words(self, states: Tensor) -> Tensor:
        """Logits of word pieces, `[n, vocabulary]`, from states `[n, width]`."""
        logits: Tensor = self.published.mlm_head(states)
        return logits

    def codes(self, states: Tensor) -> Tensor:
        """Logits of visual codes, `[n, codes]`, from states `[n, width]`."""
        logits: Tensor = self.published.mim_head(states)
        return logits

    def depth_of(self, name: str) -> int:
        """How deep a parameter lies: 0 for what embeds, from 1 for the layers, then what follows them."""
        if match := _LAYER.match(name):
            return int(match[1]) + 1
        return self.layers + 1 if name.startswith(_HEADS) else 0


def _head(width: int, classes: int, generator: torch.Generator) -> nn.Linear:
    head = nn.Linear(width, classes)
    nn.init.normal_(head.weight, std=_SPREAD, generator=generator)
    nn.init.zeros_(head.bias)
    return head
