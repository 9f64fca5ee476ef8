"""The paper's form: an item's vector is `[CLS]` of the multiway encoder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, cast

import numpy as np
import torch
from torch import Tensor, nn

from alignrec.aligner.encoder_files import Shape
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import Batch
from alignrec.aligner.pretrain.encoder_shapes import cls_shapes
from alignrec.aligner.pretrain.front_end import FrontEnd
from alignrec.aligner.pretrain.multiway import CLS
from alignrec.aligner.pretrain.settings import CLS_FORM, PretrainSettings
from alignrec.aligner.pretrain.token_encoder import TokenEncoder

_SAMPLE = 4096  # items that the centre is taken over


class ClsEncoder(TokenEncoder):
    """`[CLS]` of MMEnc over all tokens of an item, less its mean over the catalogue.

    `[CLS]` of a Transformer has a large part that all items share, by which any two are alike: cosines would
    see little else.
    """

    form: ClassVar[str] = CLS_FORM
    centre: Tensor

    def __init__(
        self,
        settings: PretrainSettings,
        widths: Mapping[str, tuple[int, int]],
        kinds: Mapping[str, str] | None = None,
    ) -> None:
        """Make an encoder; the arguments are those of `TokenEncoder`."""
        super().__init__(settings, widths, kinds)
        self.mask = nn.Parameter(torch.randn(settings.width) * 0.02)
        self.register_buffer("centre", torch.zeros(settings.width))

    @property
    def width_out(self) -> int:
        """MMEnc's own."""
        return self.settings.width

    @staticmethod
    def shapes(
        settings: PretrainSettings, widths: Mapping[str, tuple[int, int]]
    ) -> Iterator[tuple[str, Shape]]:
        """See `cls_shapes`."""
        return cls_shapes(settings, widths)

    def states(
        self,
        batch: Batch,
        targets: Mapping[str, Tensor],
        seen: Mapping[str, Tensor],
        hidden: Mapping[str, Tensor],
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """`[CLS]` and every token's state, some tokens being `[MASK]`.

        Args:
            batch: the items.
            targets: see there.
            seen: for each modality bool `[b, 1 + t]`, what takes part, the pooled vector's mark first.
            hidden: for each modality bool `[b, t]`, tokens of which nothing is left but their places.

        Returns:
            float `[b, width]`, and for each modality float `[b, t, width]`.
        """
        tokens = {}
        for m, modality in batch.items():
            front = cast(FrontEnd, self.front[m])
            content = torch.where(hidden[m][..., None], self.mask, front.content(modality))
            tokens[m] = front(modality, targets[m], content)
        states = self.mmenc.states(tokens, seen)
        return states.pop(CLS)[:, 0], {m: state[:, 1:] for m, state in states.items()}

    def forward(self, batch: Batch) -> Tensor:
        """Item vectors `[b, width]` of all that a batch holds."""
        seen = {m: modality.marks for m, modality in batch.items()}
        return self.gather(batch, self.targets(batch), seen) - self.centre

    def set_centre(self, inputs: Inputs) -> None:
        """Take the mean of `[CLS]` over a catalogue, of at most 4,096 of its items, from all vectors."""
        self.centre.zero_()
        rows = np.flatnonzero(np.any([source.valid for source in inputs.values()], axis=0))
        some = rows[np.linspace(0, len(rows) - 1, min(_SAMPLE, len(rows))).astype(np.int64)]
        vectors = self.encode(
            {m: source.rows(some) for m, source in inputs.items()}, str(self.centre.device)
        )[0]
        self.centre.copy_(torch.from_numpy(vectors.mean(axis=0, dtype=np.float64)))
