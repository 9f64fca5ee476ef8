"""What the trained encoders share: MMEnc on frozen tokens, and how it is fitted, saved and loaded."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import ClassVar, Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from alignrec.aligner.components import Components
from alignrec.aligner.encoder_files import EncoderFiles, SavedConfig, SavedWidths, Shape, write_encoder
from alignrec.aligner.errors import FeatureError
from alignrec.aligner.hardware import device_of
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import LONGEST, Batch, gather
from alignrec.aligner.pretrain.encoder_shapes import share_out
from alignrec.aligner.pretrain.front_end import FrontEnd
from alignrec.aligner.pretrain.multiway import MMEnc
from alignrec.aligner.pretrain.named_modules import NamedModules
from alignrec.aligner.pretrain.settings import FILLED, PretrainSettings
from alignrec.aligner.pretrain.token_codebook import sample_tokens

_BATCH = 64


class _Saved(SavedConfig):
    """The config of a saved encoder."""

    settings: PretrainSettings
    widths: SavedWidths
    kinds: dict[str, str] | None = None


class TokenEncoder(nn.Module):
    """MMEnc on frozen tokens, with a head on `[CLS]` for the components of each modality's pooled vector.

    Names of attributes that hold tensors are the names of the tensors in saved encoders.
    """

    form: ClassVar[str]

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

    @property
    @abstractmethod
    def width_out(self) -> int:
        """Width of the item vectors."""

    @staticmethod
    @abstractmethod
    def shapes(
        settings: PretrainSettings, widths: Mapping[str, tuple[int, int]]
    ) -> Iterator[tuple[str, Shape]]:
        """Name and shape of every tensor of such an encoder."""

    @abstractmethod
    def forward(self, batch: Batch) -> Tensor:
        """Item vectors `[b, width_out]` of all that a batch holds."""

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
        encoder.fit_components(inputs)
        for m, source in inputs.items():
            cast(FrontEnd, encoder.front[m]).components.fit(sample_tokens(source.tokens, seed), whiten=0)
        return encoder

    def fit_components(self, inputs: Inputs) -> None:
        """Learn the components of each modality's pooled vectors."""
        for m, source in inputs.items():
            cast(Components, self.components[m]).fit(source.pooled[source.valid], self.settings.whitening)

    def targets(self, batch: Batch) -> dict[str, Tensor]:
        """The components of each modality's pooled vectors, `[b, part]`, zeros where it is missing."""
        return {m: self.components[m](s.pooled) * s.valid[:, None] for m, s in batch.items()}

    def gather(self, batch: Batch, targets: Mapping[str, Tensor], seen: Mapping[str, Tensor]) -> Tensor:
        """`[CLS]` of a batch, `[b, width]`: all that `seen` names and marks, bool `[b, 1 + t]`, the pooled
        vector's mark first."""
        tokens = {m: self.front[m](batch[m], targets[m]) for m in seen}
        cls: Tensor = self.mmenc(tokens, seen)
        return cls

    @torch.no_grad()
    def encode(self, inputs: Inputs, device: str = "cpu") -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The item vectors of a catalogue.

        Args:
            inputs: of the modalities that the encoder knows.
            device: where to compute, as the settings name it; the encoder stays there.

        Returns:
            float32 `[n, width_out]` and bool `[n]`; an item without any modality has zeros and False.

        Raises:
            FeatureError: the modalities or widths are not those the encoder is for.
            AlignerError: the device is absent.
        """
        self._check(inputs)
        place = device_of(device)
        self.to(place).eval()
        inputs = {m: inputs[m] for m in self.widths}
        valid = np.any([source.valid for source in inputs.values()], axis=0)
        out = np.zeros((len(valid), self.width_out), dtype=np.float32)
        rows = np.flatnonzero(valid)
        for start in range(0, len(rows), _BATCH):
            items = rows[start : start + _BATCH]
            out[items] = self(gather(inputs, items, most=LONGEST, device=place)).float().cpu().numpy()
        return out, valid

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors` into a folder that exists."""
        # Encoders of the form that was once the only one do not name it.
        unnamed = {"vector"} if self.form == FILLED else None
        config = {
            "settings": self.settings.model_dump(mode="json", exclude=unnamed),
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
        settings = config.settings.model_copy(update={"vector": cls.form})
        tensors = files.tensors(cls.shapes(settings, config.widths))
        try:
            encoder = cls(settings, config.widths, config.kinds)
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
