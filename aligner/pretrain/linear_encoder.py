"""The encoder in closed form: an item's views become one vector, missing ones told from the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import Field
from safetensors.torch import save_file
from threadpoolctl import threadpool_limits
from torch import nn

from alignrec.aligner.alignment.consensus import Consensus
from alignrec.aligner.alignment.strength import choose_strength
from alignrec.aligner.alignment.views import fit_view, project_view, view_columns, view_weights
from alignrec.aligner.components import Components
from alignrec.aligner.encoder_files import EncoderFiles, SavedConfig, SavedWidths, Shape, write_encoder
from alignrec.aligner.errors import FeatureError
from alignrec.aligner.hardware import one_thread_if_small
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.settings import PretrainSettings
from alignrec.aligner.pretrain.unknown_part import UnknownPart

_BLOCK = 4096  # items at once


class _Saved(SavedConfig):
    """The config of a saved encoder: of each view the width of its vectors and of its components."""

    settings: PretrainSettings
    strength: float = Field(gt=0)
    views: SavedWidths


class LinearEncoder:
    """Views in their principal components, filled in and whitened together (see `Consensus`).

    What cannot be told of an item's missing views is a direction that it shares with no other (see
    `UnknownPart`), as long as what complete items have there in the mean. Nothing is trained step by step:
    the same catalogue, settings and seed give the same bytes, whatever the number of threads.
    """

    def __init__(
        self,
        settings: PretrainSettings,
        components: Mapping[str, Components],
        covariance: NDArray[np.float32],
        strength: float,
        unknown: UnknownPart,
    ) -> None:
        """Put an encoder together.

        Args:
            settings: it was made by.
            components: of each view, by the alphabet.
            covariance: float32 `[D, D]`, of all these components (see `joint_covariance`).
            strength: of the consensus.
            unknown: from the components of all views to the vectors' width.
        """
        self.settings, self.components, self.unknown = settings, dict(components), unknown
        widths = {m: c.basis.shape[1] for m, c in components.items()}
        self.consensus = Consensus(widths, covariance.astype(np.float64), strength, settings.dim)

    @classmethod
    def fitted(cls, settings: PretrainSettings, inputs: Inputs, seed: int) -> Self:
        """The encoder of a catalogue.

        Args:
            settings: its `dim` counts, and whether it has any epochs: with none, nothing is aligned, and each
                modality is whitened alone.
            inputs: the catalogue; tokens are not looked at.
            seed: draws what the strength is chosen on, and the directions of what is unknown.

        Raises:
            FeatureError: a modality has no item.
        """
        for m, source in inputs.items():
            if not source.valid.any():
                raise FeatureError(f"no item has a usable {m}: leave that modality out")
        with one_thread_if_small(0), threadpool_limits(1):
            weights = view_weights(inputs)
            components = {m: fit_view(inputs[m], weights[m]) for m in sorted(inputs)}
            parts = {m: project_view(component, inputs[m]) for m, component in components.items()}
            valid = {m: inputs[m].valid for m in components}
            together = settings.epochs > 0
            strength = choose_strength(parts, valid, seed, view_columns(inputs))
            consensus = Consensus.fit(parts, valid, strength=strength, dim=settings.dim, together=together)
            covariance = consensus.covariance.astype(np.float32)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            unknown = UnknownPart(len(covariance), min(settings.dim, len(covariance)))
        return cls(settings, components, covariance, strength, unknown)

    def encode(
        self,
        inputs: Inputs,
        device: str = "cpu",  # noqa: ARG002 (other encoders need it)
    ) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """The item vectors of a catalogue.

        Args:
            inputs: of the modalities that the encoder knows.
            device: is not needed; a product of two matrices stays on the CPU.

        Returns:
            float32 `[n, dim]` and bool `[n]`; an item without any modality has zeros and False.

        Raises:
            FeatureError: the modalities or widths are not those the encoder is for.
        """
        widths = {m: c.mean.shape[0] for m, c in self.components.items()}
        got = {m: s.pooled.shape[1] for m, s in inputs.items() if m in widths}
        if got != widths:
            raise FeatureError(f"the encoder is for vectors of {widths}, got {got}")
        present = np.stack([inputs[m].valid for m in widths], axis=1)
        valid = np.asarray(present.any(axis=1))
        # Items that have the same modalities come together: how they become vectors is found once.
        order = np.lexsort(present.T)
        out = np.zeros((len(valid), self.consensus.whitening.shape[1]), dtype=np.float32)
        with one_thread_if_small(0), threadpool_limits(1), torch.no_grad():
            for start in range(0, len(valid), _BLOCK):
                rows = order[start : start + _BLOCK]
                parts = {m: project_view(c, inputs[m], rows) for m, c in self.components.items()}
                marks = {m: inputs[m].valid[rows] for m in widths}
                vectors, lacking = self.consensus.vectors(parts, marks)
                if len(gaps := np.flatnonzero(lacking)):
                    known = torch.from_numpy(np.hstack([part[gaps] for part in parts.values()]))
                    spread = torch.from_numpy(self.consensus.spread).float()
                    vectors[gaps] += np.sqrt(lacking[gaps])[:, None] * self.unknown(known, spread).numpy()
                out[rows] = vectors
        return out, valid

    def save_pretrained(self, folder: Path) -> None:
        """Write `config.json` and `model.safetensors` into a folder that exists."""
        config = {
            "settings": self.settings.model_dump(mode="json"),
            "strength": self.consensus.strength,
            "views": {m: list(c.basis.shape) for m, c in self.components.items()},
        }
        tensors = {"covariance": torch.from_numpy(self.consensus.covariance).float()}
        for name, module in self._modules():
            tensors |= {f"{name}.{key}": value.contiguous() for key, value in module.state_dict().items()}
        write_encoder(folder, config, lambda path: save_file(tensors, path))

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """The encoder that `save_pretrained` wrote into `folder`.

        Raises:
            EncoderError: files are missing, damaged, of another format or do not fit together.
        """
        files = EncoderFiles(Path(folder), "linear encoder")
        config = files.config(_Saved)
        views = config.views
        tensors = files.tensors(_shapes(config.settings, views))
        width = sum(used for _, used in views.values())
        encoder = cls(
            config.settings,
            {m: Components(*shape) for m, shape in views.items()},
            tensors.pop("covariance"),
            config.strength,
            UnknownPart(width, min(config.settings.dim, width)),
        )
        for name, module in encoder._modules():
            module.load_state_dict(
                {key: torch.from_numpy(tensors[f"{name}.{key}"]) for key in module.state_dict()}
            )
        return encoder

    def _modules(self) -> Iterator[tuple[str, nn.Module]]:
        yield from ((f"components.{m}", module) for m, module in self.components.items())
        yield "unknown", self.unknown


def _shapes(settings: PretrainSettings, views: Mapping[str, tuple[int, int]]) -> Iterator[tuple[str, Shape]]:
    width = sum(used for _, used in views.values())
    yield "covariance", (width, width)
    for m, (inputs, used) in views.items():
        yield f"components.{m}.mean", (inputs,)
        yield f"components.{m}.basis", (inputs, used)
        yield f"components.{m}.spread", (used,)
    yield "unknown.frequency", (width, min(settings.dim, width))
    yield "unknown.phase", (min(settings.dim, width),)
