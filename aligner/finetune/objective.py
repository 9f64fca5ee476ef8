"""The masked-data objective of BEiT-3 (arXiv 2208.10442, section 2.2), as far as it is published.

Hidden patches' visual codes and hidden word pieces are predicted, each from the state at its own place: of
pictures alone, of texts alone, and of pairs, in which both hide some at once, as in VL-BEiT (arXiv
2206.01127). A loss is the mean cross-entropy of what is hidden, and all four weigh the same. A hidden word
piece is always replaced by the mask, never by another piece. BEiT-3's own pretraining code was not released:
what its paper leaves open is a reconstruction. Two further losses, which BEiT-3 has not, teach `[CLS]`.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn

from alignrec.aligner.finetune.items import (
    PAIR_LABELS,
    PAIR_PATCHES,
    PAIR_WORDS,
    PATCHES,
    PICTURE_LABELS,
    TEXT_LABELS,
    WORDS,
    Batch,
)
from alignrec.aligner.finetune.model import MaskedModel
from alignrec.aligner.finetune.patch_aggregation import PatchAggregation
from alignrec.aligner.finetune.text_labels import TextLabels

# The names of what is predicted of a picture and of a text, empty where it is not seen, and by [CLS].
_FORMS = (
    (PATCHES, "", PICTURE_LABELS),
    ("", WORDS, TEXT_LABELS),
    (PAIR_PATCHES, PAIR_WORDS, PAIR_LABELS),
)
BY_CLS = " by [CLS]"


class MaskedPrediction(nn.Module):
    """The losses around a model."""

    def __init__(
        self, model: MaskedModel, *, aggregate: bool = False, labels: TextLabels | None = None
    ) -> None:
        """Wrap a model; with `aggregate`, `[CLS]` has to tell hidden patches too, with `labels` the text."""
        super().__init__()
        self.model = cast("nn.Module", model)
        self.inner = max(1, round(0.75 * model.layers))  # as BEiT v2: the 9th of 12 layers
        self.aggregation = PatchAggregation(model.width) if aggregate else None
        self.labels = labels

    @property
    def front(self) -> MaskedModel:
        """The model, by what it can do."""
        return cast("MaskedModel", self.model)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """Cross-entropies over what is hidden or to be named in the whole step, scalars; none of nothing."""
        losses: dict[str, Tensor] = {}
        for patches, words, labels in _FORMS:
            rows = torch.ones_like(batch.text)
            rows = rows & batch.picture if patches else rows
            rows = rows & batch.text if words else rows
            if rows.any():
                losses |= self._losses(batch, rows, patches, words, labels)
        return losses

    def _losses(self, batch: Batch, rows: Tensor, patches: str, words: str, labels: str) -> dict[str, Tensor]:
        hidden_patches = batch.hidden[patches][rows] if patches else None
        hidden_words = batch.hidden[words][rows] if words else None
        ids, real = batch.ids[rows], batch.real[rows]
        states, early = self.front.states(
            batch.pixels[rows] if patches else None,
            None if hidden_words is None else ids.masked_fill(hidden_words, self.front.mask_id),
            real if words else None,
            hidden_patches,
            self.inner,
        )
        losses: dict[str, Tensor] = {}
        count = 0 if hidden_patches is None else hidden_patches.shape[1]
        if hidden_patches is not None and hidden_patches.any():
            targets, total = batch.codes[rows][hidden_patches], batch.totals[patches]
            found = states[:, 1 : 1 + count][hidden_patches]
            losses[patches] = _cross_entropy(self.front.codes(found), targets, total)
            if self.aggregation is not None:
                found = self.aggregation(states[:, :1], early[:, 1 : 1 + count])[hidden_patches]
                losses[patches + BY_CLS] = _cross_entropy(self.front.codes(found), targets, total)
        if hidden_words is not None and hidden_words.any():
            found = states[:, -hidden_words.shape[1] :][hidden_words]
            losses[words] = _cross_entropy(self.front.words(found), ids[hidden_words], batch.totals[words])
        named = batch.text[rows]
        if self.labels is not None and named.any():
            found = self.labels(self.front.words(states[:, 0][named]), ids[named], real[named])
            losses[labels] = found / batch.totals[labels]
        return losses


def _cross_entropy(logits: Tensor, targets: Tensor, total: int) -> Tensor:
    return nn.functional.cross_entropy(logits.float(), targets, reduction="sum") / total
