"""Linear alignment, and on top of it what a Transformer has learned that it misses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self, cast

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch import Tensor, nn

from alignrec.aligner.encoder_files import EncoderFiles, SavedConfig, SavedWidths, write_encoder
from alignrec.aligner.hardware import device_of
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.batches import LONGEST, Batch, gather
from alignrec.aligner.pretrain.encoder_shapes import residual_shapes
from alignrec.aligner.pretrain.front_end import FrontEnd
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.aligner.pretrain.multiway import MMEnc
from alignrec.aligner.pretrain.named_modules import NamedModules
from alignrec.aligner.pretrain.settings import LINEAR, RESIDUAL, PretrainSettings
from alignrec.aligner.pretrain.token_codebook import sample_tokens

_BATCH = 64
LINEAR_FOLDER = "linear"  # of a saved encoder, and an encoder itself


class _Saved(SavedConfig):
    """The config of a saved encoder: of each view the components and the width of its tokens."""

    settings: PretrainSettings
    widths: SavedWidths
    kinds: dict[str, str]
    learned: list[str]


class ResidualEncoder(nn.Module):
    """What `LinearEncoder` gives, moved by what MMEnc tells of each view beyond it.

    Of a missing view, the residual is added to what the others tell linearly. Of a view that is there it
    counts s / (1 + s), s being the strength: a strength is how noisy a view is held to be next to its mean
    eigenvalue, and so much of what is expected of it stays in an estimate (the posterior mean of a Gaussian).
    Only views that were found to be told better on held-out items are moved; without any, and before
    training, vectors are the linear ones to the byte.
    """

    def __init__(
        self,
        settings: PretrainSettings,
        linear: LinearEncoder,
        tokens: Mapping[str, int],
        kinds: Mapping[str, str],
    ) -> None:
        """Make an encoder that has learned nothing yet.

        Args:
            settings: its shape.
            linear: what it starts from.
            tokens: for each view, the width of its tokens.
            kinds: for each view, the kind of its content.
        """
        super().__init__()
        self.settings, self.linear, self.kinds = settings, linear, dict(kinds)
        self.widths = {m: (used, tokens[m]) for m, used in linear.consensus.widths.items()}
        self.learned: tuple[str, ...] = ()
        width = settings.width
        self.front = NamedModules(
            {
                m: FrontEnd(token, used, settings.token_dim, width, settings.place_weight_of(self.kinds[m]))
                for m, (used, token) in self.widths.items()
            }
        )
        self.mmenc = MMEnc(tuple(self.widths), width, settings.depth, settings.heads, settings.dropout)
        self.predict = NamedModules({m: nn.Linear(width, used) for m, (used, _) in self.widths.items()})
        for parameter in self.predict.parameters():
            nn.init.zeros_(parameter)

    @classmethod
    def fitted(cls, settings: PretrainSettings, inputs: Inputs, seed: int) -> Self:
        """The encoder of a catalogue before any training.

        Raises:
            FeatureError: a modality has no item.
        """
        alone = settings.model_copy(update={"vector": LINEAR})
        linear = LinearEncoder.fitted(alone, inputs, seed)
        widths = {m: source.tokens.values.shape[1] for m, source in inputs.items()}
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            encoder = cls(settings, linear, widths, {m: s.kind or m for m, s in inputs.items()})
        for m, front in encoder.front.items():
            cast(FrontEnd, front).components.fit(sample_tokens(inputs[m].tokens, seed), whiten=0)
        return encoder

    def parts(self, batch: Batch) -> dict[str, Tensor]:
        """The components of each view, `[b, used]`, zeros where it is missing."""
        found = {}
        for m, components in self.linear.components.items():
            modality = batch[m]
            rows = components(modality.pooled.cpu()).to(modality.pooled.device)
            found[m] = rows * modality.valid[:, None]
        return found

    def residual(self, batch: Batch, hidden: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """What MMEnc tells of each view beyond the linear prediction, `[b, used]`.

        Args:
            batch: the items.
            hidden: for each view bool `[b]`, which items do not show it.
        """
        parts = self.parts(batch)
        seen = {m: modality.marks & ~hidden[m][:, None] for m, modality in batch.items()}
        tokens = {m: self.front[m](batch[m], parts[m] * ~hidden[m][:, None]) for m in self.widths}
        cls = self.mmenc(tokens, {m: seen[m] for m in self.widths})
        return {m: head(cls) for m, head in self.predict.items()}

    def encode(self, inputs: Inputs, device: str = "cpu") -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The item vectors of a catalogue.

        Args:
            inputs: of the modalities that the encoder knows.
            device: where to compute the residual, as the settings name it; the encoder stays there.

        Returns:
            float32 `[n, dim]` and bool `[n]`; an item without any modality has zeros and False.

        Raises:
            FeatureError: the modalities or widths are not those the encoder is for.
            AlignerError: the device is absent.
        """
        out, valid = self.linear.encode(inputs, device)
        if not self.learned:
            return out, valid
        place = device_of(device)
        self.to(place).eval()
        inputs = {m: inputs[m] for m in self.widths}
        consensus = self.linear.consensus
        share = consensus.strength / (1 + consensus.strength)
        view = np.repeat(list(self.widths), list(consensus.widths.values()))
        for m in self.learned:
            to_vector = consensus.whitening[view == m].astype(np.float32)
            some_other = np.any([source.valid for other, source in inputs.items() if other != m], axis=0)
            rows = np.flatnonzero(some_other)
            for start in range(0, len(rows), _BATCH):
                items = rows[start : start + _BATCH]
                weight = np.where(inputs[m].valid[items], share, 1.0).astype(np.float32)
                out[items] += weight[:, None] * (self.residual_of(inputs, items, m) @ to_vector)
        return out, valid

    @torch.no_grad()
    def residual_of(self, inputs: Inputs, items: NDArray[np.int64], m: str) -> NDArray[np.float32]:
        """The residual of a view from all others, float32 `[b, used]`; computed where the encoder is."""
        batch = gather(inputs, items, most=LONGEST, device=self.mmenc.cls.device)
        hidden = {other: torch.full_like(s.valid, other == m) for other, s in batch.items()}
        return np.asarray(self.residual(batch, hidden)[m].float().cpu().numpy())

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json`, `model.safetensors` and, in a folder beside them, the linear encoder."""
        (folder / LINEAR_FOLDER).mkdir()
        self.linear.save_pretrained(folder / LINEAR_FOLDER)
        config = {
            "settings": self.settings.model_dump(mode="json"),
            "widths": {m: list(pair) for m, pair in self.widths.items()},
            "kinds": self.kinds,
            "learned": list(self.learned),
        }
        tensors = {name: t.detach().cpu().contiguous() for name, t in self.state_dict().items()}
        write_encoder(folder, config, lambda path: save_file(tensors, path))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """The encoder that `save_pretrained` wrote into `folder`.

        Raises:
            EncoderError: files are missing, damaged, of another format or do not fit together.
        """
        files = EncoderFiles(Path(folder), "residual encoder")
        config = files.config(_Saved)
        settings = config.settings.model_copy(update={"vector": RESIDUAL})
        linear = LinearEncoder.from_pretrained(Path(folder) / LINEAR_FOLDER)
        found = {m: used for m, (used, _) in config.widths.items()}
        if found != dict(linear.consensus.widths):
            raise files.error(f"its views are {found}, and those it starts from {linear.consensus.widths}")
        if not set(config.learned) <= set(found) or set(config.kinds) != set(found):
            raise files.error("it names views that it does not have")
        tensors = files.tensors(residual_shapes(settings, config.widths))
        try:
            encoder = cls(
                settings, linear, {m: token for m, (_, token) in config.widths.items()}, config.kinds
            )
        except ValueError as error:
            raise files.error(str(error)) from None
        encoder.load_state_dict({name: torch.from_numpy(values) for name, values in tensors.items()})
        encoder.learned = tuple(config.learned)
        return encoder.eval()


def better_told(
    encoder: ResidualEncoder,
    inputs: Inputs,
    errors: Mapping[str, NDArray[np.float32]],
    judges: NDArray[np.int64],
    fewest: int,
) -> Sequence[str]:
    """The views of which held-out items are told better with the residual, by more than a standard error.

    Args:
        encoder: after training.
        inputs: the catalogue.
        errors: of linear prediction (see `linear_errors`).
        judges: int64 `[j]`, items that no training and no choice of an epoch has seen.
        fewest: items that something can be said by.
    """
    inputs = {m: inputs[m] for m in encoder.widths}
    found = []
    for m in encoder.widths:
        usable = judges[errors[m][judges].any(axis=1)]
        if len(usable) < fewest:
            continue
        gains = []
        for start in range(0, len(usable), _BATCH):
            items = usable[start : start + _BATCH]
            before = errors[m][items].astype(np.float64)
            gains.append(
                np.square(before).sum(1) - np.square(before - encoder.residual_of(inputs, items, m)).sum(1)
            )
        gain = np.concatenate(gains)
        if gain.mean() > gain.std() / np.sqrt(len(gain)):
            found.append(m)
    return found
