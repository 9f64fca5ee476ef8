"""The multimodal encoder: image and text of an item become one vector, also when one of them is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from alignrec.aligner.components import Components
from alignrec.aligner.encoder_files import reading, write_encoder
from alignrec.aligner.errors import FeatureError
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import LONGEST, Batch, Side, gather
from alignrec.aligner.pretrain.multiway import MMEnc
from alignrec.aligner.pretrain.settings import PretrainSettings
from alignrec.aligner.pretrain.token_codebook import sample_tokens
from alignrec.aligner.pretrain.unknown_part import OwnDirection
from alignrec.core.vocabulary import IMAGE, MODALITIES, TEXT

_BATCH = 64
_OWN = 0.5  # length of its own direction, of an item of whose missing side nothing is told
# Where something stands in a picture is what pooling has lost; a text model's tokens know their order.
_PLACE = {IMAGE: 0.5, TEXT: 0.02}


class FrontEnd(nn.Module):
    """Turns a frozen extractor's tokens, and its pooled vector as one token more, into MMEnc's tokens.

    Tokens come in their principal components: from a few hundred items, weights for all of a frozen model's
    dimensions would learn the items by heart.
    """

    def __init__(self, token_dim: int, pooled_dim: int, components: int, width: int, place: float) -> None:
        """Make a front end for tokens of `token_dim` and residual components of `pooled_dim`.

        Args:
            token_dim: width of the extractor's tokens.
            pooled_dim: number of the pooled vector's components.
            components: principal components of a token that are looked at.
            width: of MMEnc.
            place: how much a token's place weighs at first; its content weighs about 0.6.
        """
        super().__init__()
        self.components = Components(token_dim, components)
        self.token = nn.Linear(components, width)
        self.pooled = nn.Linear(pooled_dim, width)
        self.place = nn.Embedding(LONGEST, width)
        nn.init.normal_(self.place.weight, std=place)

    def forward(self, side: Side, pooled: Tensor) -> Tensor:
        """The pooled vector's token and then the sequence: `[b, 1 + t, width]`."""
        content = self.components(side.tokens)
        tokens = self.token(content * content.shape[-1] ** 0.5) + self.place(side.position)
        return torch.cat([self.pooled(pooled * pooled.shape[-1] ** 0.5)[:, None], tokens], dim=1)


class MultimodalEncoder(nn.Module):
    """MMEnc on frozen tokens with a residual path from the pooled raw vectors.

    The item vector has a part for each modality. Where an item has the modality, the part is the residual
    path: the pooled vector's components. Where not, it is what `[CLS]` predicts of them from the other
    modality (zeros before training), and a direction of the item's own for what it cannot tell. Parts are as
    long as `Components` makes them, 1 in the root mean square, the image's times `image_weight`.
    """

    def __init__(self, settings: PretrainSettings, widths: Mapping[str, tuple[int, int]]) -> None:
        """Make an encoder.

        Args:
            settings: its shape.
            widths: for each modality, the width of its pooled vectors and of its tokens.
        """
        super().__init__()
        self.settings = settings
        self.widths = {m: widths[m] for m in MODALITIES if m in widths}
        modalities = tuple(self.widths)
        share, rest = divmod(settings.dim, len(modalities))
        self.parts = {m: share + (rest if m == modalities[-1] else 0) for m in modalities}
        width = settings.width
        self.components = nn.ModuleDict(
            {m: Components(pooled, self.parts[m]) for m, (pooled, _) in self.widths.items()}
        )
        self.front = nn.ModuleDict(
            {
                m: FrontEnd(token, self.parts[m], settings.token_dim, width, _PLACE[m])
                for m, (_, token) in self.widths.items()
            }
        )
        self.mmenc = MMEnc(modalities, width, settings.depth, settings.heads, settings.dropout)
        self.predict = nn.ModuleDict({m: nn.Linear(width, part) for m, part in self.parts.items()})
        self.own = nn.ModuleDict(
            {
                m: OwnDirection(settings.dim - part, part)
                for m, part in self.parts.items()
                if part < settings.dim
            }
        )
        for head in self.predict.values():
            for parameter in head.parameters():
                nn.init.zeros_(parameter)

    @classmethod
    def fitted(cls, settings: PretrainSettings, inputs: Inputs, seed: int) -> Self:
        """An untrained encoder for a catalogue: statistics and components are learned, weights are random.

        Raises:
            FeatureError: a modality has no item.
        """
        for m, source in inputs.items():
            if not source.valid.any():
                raise FeatureError(f"no item has a usable {m}: leave that modality out")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            widths = {m: (s.pooled.shape[1], s.tokens.values.shape[1]) for m, s in inputs.items()}
            encoder = cls(settings, widths)
        for m, source in inputs.items():
            cast(Components, encoder.components[m]).fit(source.pooled[source.valid], settings.whiten)
            cast(FrontEnd, encoder.front[m]).components.fit(sample_tokens(source.tokens, seed), whiten=0)
        return encoder

    def targets(self, batch: Batch) -> dict[str, Tensor]:
        """The residual path's components of each modality, `[b, part]`, zeros where it is missing."""
        return {m: self.components[m](s.pooled) * s.valid[:, None] for m, s in batch.items()}

    def gather(self, batch: Batch, targets: Mapping[str, Tensor], seen: Mapping[str, Tensor]) -> Tensor:
        """`[CLS]` of a batch, `[b, width]`: all that `seen` names and marks, bool `[b, 1 + t]`, the pooled
        vector's mark first."""
        tokens = {m: self.front[m](batch[m], targets[m]) for m in seen}
        cls: Tensor = self.mmenc(tokens, seen)
        return cls

    def forward(self, batch: Batch) -> Tensor:
        """Item vectors `[b, dim]` of all that a batch holds."""
        targets = self.targets(batch)
        seen = {m: torch.cat([s.valid[:, None], s.mask], dim=1) for m, s in batch.items()}
        cls = self.gather(batch, targets, seen)
        parts = []
        for m, side in batch.items():
            part = targets[m]
            if m in self.own:
                part = torch.where(side.valid[:, None], part, self._told(m, targets, cls))
            parts.append(part * (self.settings.image_weight if m == IMAGE else 1.0))
        return torch.cat(parts, dim=1)

    def _told(self, m: str, targets: Mapping[str, Tensor], cls: Tensor) -> Tensor:
        """In place of a missing modality: what the rest tells of it, and the item's own direction."""
        told: Tensor = self.predict[m](cls)
        rest = (1 - told.square().sum(dim=1, keepdim=True)).clamp(min=0).sqrt()
        known = torch.cat([part for o, part in targets.items() if o != m], dim=1)
        own: Tensor = self.own[m](known, self.components[m].spread)
        return told + _OWN * rest * own

    @torch.no_grad()
    def encode(self, inputs: Inputs, device: str = "cpu") -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The item vectors of a catalogue.

        Args:
            inputs: of the modalities that the encoder knows.
            device: where to compute.

        Returns:
            float32 `[n, dim]` and bool `[n]`; an item without any modality has zeros and False.

        Raises:
            FeatureError: the modalities or widths are not those the encoder was made for.
        """
        self._check(inputs)
        self.to(device).eval()
        inputs = {m: inputs[m] for m in self.widths}
        valid = np.any([source.valid for source in inputs.values()], axis=0)
        out = np.zeros((len(valid), self.settings.dim), dtype=np.float32)
        rows = np.flatnonzero(valid)
        for start in range(0, len(rows), _BATCH):
            items = rows[start : start + _BATCH]
            out[items] = self(gather(inputs, items, most=LONGEST, device=device)).float().cpu().numpy()
        return out, valid

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors` into a folder that exists."""
        config = {
            "settings": self.settings.model_dump(mode="json"),
            "widths": {m: list(pair) for m, pair in self.widths.items()},
        }
        tensors = {name: t.detach().cpu().contiguous() for name, t in self.state_dict().items()}
        write_encoder(folder, config, lambda path: save_file(tensors, path))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """The encoder that `save_pretrained` wrote into `folder`.

        Raises:
            EncoderError: files are missing, damaged or of another format.
        """
        with reading(Path(folder), "multimodal encoder") as (config, path):
            settings = PretrainSettings.model_validate(config["settings"])
            encoder = cls(settings, {m: (pooled, token) for m, (pooled, token) in config["widths"].items()})
            encoder.load_state_dict(load_file(path))
        return encoder.eval()

    def _check(self, inputs: Inputs) -> None:
        got = {
            m: (s.pooled.shape[1], s.tokens.values.shape[1]) for m, s in inputs.items() if m in self.widths
        }
        if got != self.widths:
            raise FeatureError(f"the encoder is for vectors and tokens of {self.widths}, got {got}")
