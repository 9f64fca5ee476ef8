"""The encoder whose vector has a part a modality, a missing one predicted from what is there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar, cast

import torch
from torch import Tensor, nn

from alignrec.aligner.components import Components
from alignrec.aligner.encoder_files import Shape
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import Batch
from alignrec.aligner.pretrain.encoder_shapes import encoder_shapes
from alignrec.aligner.pretrain.named_modules import NamedModules
from alignrec.aligner.pretrain.part_scale import PartScale, scales_by_content
from alignrec.aligner.pretrain.settings import FILLED, PretrainSettings
from alignrec.aligner.pretrain.token_encoder import TokenEncoder
from alignrec.aligner.pretrain.unknown_part import UnknownPart

# Length of what stands for the unknown part of an item of whose missing modality nothing can be predicted.
_UNKNOWN = 0.5


class MultimodalEncoder(TokenEncoder):
    """MMEnc on frozen tokens with a residual path from the pooled raw vectors.

    The item vector has a part for each modality. Where an item has the modality, the part is the residual
    path: the pooled vector's components. Where not, it is what `[CLS]` predicts of them from the other
    modalities (zeros before training), and a direction that no other item has for what it cannot predict.
    How large components are in the vector is decided by content, or by settings (see `PartScale`).
    """

    form: ClassVar[str] = FILLED

    def __init__(
        self,
        settings: PretrainSettings,
        widths: Mapping[str, tuple[int, int]],
        kinds: Mapping[str, str] | None = None,
    ) -> None:
        """Make an encoder; the arguments are those of `TokenEncoder`."""
        super().__init__(settings, widths, kinds)
        self.own = NamedModules(
            {
                m: UnknownPart(settings.dim - part, part)
                for m, part in self.parts.items()
                if part < settings.dim
            }
        )
        self.scales = NamedModules(
            {
                m: PartScale(part, settings.weight_of(self.kinds[m]), saved=settings.as_content_says)
                for m, part in self.parts.items()
            }
        )
        for head in self.predict.values():
            for parameter in head.parameters():
                nn.init.zeros_(parameter)

    @property
    def width_out(self) -> int:
        """All parts together."""
        return self.settings.dim

    @staticmethod
    def shapes(
        settings: PretrainSettings, widths: Mapping[str, tuple[int, int]]
    ) -> Iterator[tuple[str, Shape]]:
        """See `encoder_shapes`."""
        return encoder_shapes(settings, widths)

    def fit_components(self, inputs: Inputs) -> None:
        """Learn the components of each modality, and how large they are in the vector."""
        super().fit_components(inputs)
        if not self.settings.as_content_says:
            return
        components = {m: cast(Components, c) for m, c in self.components.items()}
        for m, scale in scales_by_content(inputs, components).items():
            if self.settings.image_weight is not None:
                size = torch.linalg.vector_norm(scale * components[m].spread).clamp(min=1e-12)
                scale = scale * self.settings.weight_of(self.kinds[m]) / size
            cast(PartScale, self.scales[m]).scale.copy_(scale)

    def forward(self, batch: Batch) -> Tensor:
        """Item vectors `[b, dim]` of all that a batch holds."""
        targets = self.targets(batch)
        seen = {m: modality.marks for m, modality in batch.items()}
        cls = self.gather(batch, targets, seen)
        parts = []
        for m, modality in batch.items():
            part = self.scales[m](targets[m])
            if m in self.own:
                part = torch.where(modality.valid[:, None], part, self._substitute(m, targets, cls))
            parts.append(part)
        return torch.cat(parts, dim=1)

    def _substitute(self, m: str, targets: Mapping[str, Tensor], cls: Tensor) -> Tensor:
        """In place of a missing modality: what the others predict of it, and the item's unknown part."""
        predicted: Tensor = self.scales[m](self.predict[m](cls))
        spread: Tensor = self.scales[m](self.components[m].spread)
        size = torch.linalg.vector_norm(spread)
        rest = (size.square() - predicted.square().sum(dim=1, keepdim=True)).clamp(min=0).sqrt()
        known = torch.cat([part for other, part in targets.items() if other != m], dim=1)
        unknown: Tensor = self.own[m](known, spread / size.clamp(min=1e-12))
        substitute: Tensor = predicted + _UNKNOWN * rest * unknown
        return substitute
