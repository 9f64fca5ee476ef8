"""The multimodal encoder: an item's modalities become one vector, also when one of them is missing."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import field_validator
from safetensors.torch import save_file
from torch import Tensor, nn

from alignrec.aligner.components import Components
from alignrec.aligner.encoder_files import EncoderFiles, SavedConfig, SavedWidths, write_encoder
from alignrec.aligner.errors import FeatureError
from alignrec.aligner.hardware import device_of
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import LONGEST, Batch, ModalityBatch, gather
from alignrec.aligner.pretrain.encoder_shapes import encoder_shapes, share_out
from alignrec.aligner.pretrain.multiway import MMEnc
from alignrec.aligner.pretrain.named_modules import NamedModules
from alignrec.aligner.pretrain.settings import FILLED, PretrainSettings
from alignrec.aligner.pretrain.token_codebook import sample_tokens
from alignrec.aligner.pretrain.unknown_part import UnknownPart

_BATCH = 64
# Length of what stands for the unknown part of an item of whose missing modality nothing can be predicted.
_UNKNOWN = 0.5


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

    def forward(self, batch: ModalityBatch, pooled: Tensor) -> Tensor:
        """The pooled vector's token and then the sequence: `[b, 1 + t, width]`."""
        content = self.components(batch.tokens)
        tokens = self.token(content * content.shape[-1] ** 0.5) + self.place(batch.position)
        return torch.cat([self.pooled(pooled * pooled.shape[-1] ** 0.5)[:, None], tokens], dim=1)


class _Saved(SavedConfig):
    """The config of a saved encoder."""

    settings: PretrainSettings
    widths: SavedWidths
    kinds: dict[str, str] | None = None

    @field_validator("settings")
    @classmethod
    def _of_this_form(cls, settings: PretrainSettings) -> PretrainSettings:
        """Encoders of this form do not name it: earlier versions knew no other."""
        return settings.model_copy(update={"vector": FILLED})


class MultimodalEncoder(nn.Module):
    """MMEnc on frozen tokens with a residual path from the pooled raw vectors.

    The item vector has a part for each modality. Where an item has the modality, the part is the residual
    path: the pooled vector's components. Where not, it is what `[CLS]` predicts of them from the other
    modalities (zeros before training), and a direction that no other item has for what it cannot predict.
    Parts are 1 long in the root mean square, times the modality's weight. Names of attributes that hold
    tensors are the names of the tensors in saved encoders.
    """

    def __init__(
        self,
        settings: PretrainSettings,
        widths: Mapping[str, tuple[int, int]],
        kinds: Mapping[str, str] | None = None,
    ) -> None:
        """Make an encoder.

        Args:
            settings: its shape.
            widths: for each modality, the width of its pooled vectors and of its tokens.
            kinds: what modalities are that are not named after it.
        """
        super().__init__()
        self.settings = settings
        # The order of names is that of a saved encoder's too, and no config's.
        self.widths = dict(sorted(widths.items()))
        self.kinds = {m: (kinds or {}).get(m) or m for m in self.widths}
        modalities = tuple(self.widths)
        self.parts = share_out(settings.dim, modalities)
        width = settings.width
        self.components = NamedModules(
            {m: Components(pooled, self.parts[m]) for m, (pooled, _) in self.widths.items()}
        )
        self.front = NamedModules(
            {
                m: FrontEnd(
                    token, self.parts[m], settings.token_dim, width, settings.place_weight_of(self.kinds[m])
                )
                for m, (_, token) in self.widths.items()
            }
        )
        self.mmenc = MMEnc(modalities, width, settings.depth, settings.heads, settings.dropout)
        self.predict = NamedModules({m: nn.Linear(width, part) for m, part in self.parts.items()})
        self.own = NamedModules(
            {
                m: UnknownPart(settings.dim - part, part)
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
            encoder = cls(settings, widths, {m: s.kind for m, s in inputs.items()})
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
        for m, modality in batch.items():
            part = targets[m]
            if m in self.own:
                part = torch.where(modality.valid[:, None], part, self._substitute(m, targets, cls))
            parts.append(part * self.settings.weight_of(self.kinds[m]))
        return torch.cat(parts, dim=1)

    def _substitute(self, m: str, targets: Mapping[str, Tensor], cls: Tensor) -> Tensor:
        """In place of a missing modality: what the others predict of it, and the item's unknown part."""
        predicted: Tensor = self.predict[m](cls)
        rest = (1 - predicted.square().sum(dim=1, keepdim=True)).clamp(min=0).sqrt()
        known = torch.cat([part for other, part in targets.items() if other != m], dim=1)
        unknown: Tensor = self.own[m](known, self.components[m].spread)
        return predicted + _UNKNOWN * rest * unknown

    @torch.no_grad()
    def encode(self, inputs: Inputs, device: str = "cpu") -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The item vectors of a catalogue.

        Args:
            inputs: of the modalities that the encoder knows.
            device: where to compute, as the settings name it; the encoder stays there.

        Returns:
            float32 `[n, dim]` and bool `[n]`; an item without any modality has zeros and False.

        Raises:
            FeatureError: the modalities or widths are not those the encoder is for.
            AlignerError: the device is absent.
        """
        self._check(inputs)
        place = device_of(device)
        self.to(place).eval()
        inputs = {m: inputs[m] for m in self.widths}
        valid = np.any([source.valid for source in inputs.values()], axis=0)
        out = np.zeros((len(valid), self.settings.dim), dtype=np.float32)
        rows = np.flatnonzero(valid)
        for start in range(0, len(rows), _BATCH):
            items = rows[start : start + _BATCH]
            out[items] = self(gather(inputs, items, most=LONGEST, device=place)).float().cpu().numpy()
        return out, valid

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors` into a folder that exists."""
        config = {
            "settings": self.settings.model_dump(mode="json", exclude={"vector"}),
            "widths": {m: list(pair) for m, pair in self.widths.items()},
        }
        if named := {m: kind for m, kind in self.kinds.items() if kind != m}:
            config["kinds"] = named
        tensors = {name: t.detach().cpu().contiguous() for name, t in self.state_dict().items()}
        write_encoder(folder, config, lambda path: save_file(tensors, path))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """The encoder that `save_pretrained` wrote into `folder`.

        The tensors are compared with the settings before anything is built, so no more memory is taken
        than the files have bytes, whatever the settings ask for.

        Raises:
            EncoderError: files are missing, damaged, of another format or do not fit together.
        """
        files = EncoderFiles(Path(folder), "multimodal encoder")
        config = files.config(_Saved)
        tensors = files.tensors(encoder_shapes(config.settings, config.widths))
        try:
            encoder = cls(config.settings, config.widths, config.kinds)
        except ValueError as error:
            raise files.error(str(error)) from None
        encoder.load_state_dict({name: torch.from_numpy(values) for name, values in tensors.items()})
        return encoder.eval()

    def _check(self, inputs: Inputs) -> None:
        got = {
            m: (s.pooled.shape[1], s.tokens.values.shape[1]) for m, s in inputs.items() if m in self.widths
        }
        if got != self.widths:
            raise FeatureError(f"the encoder is for vectors and tokens of {self.widths}, got {got}")
