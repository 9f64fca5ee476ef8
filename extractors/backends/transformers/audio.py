"""Sounds by a transformers model: its own feature extractor, windows over what is long, its own pooling."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.extractors.backends.transformers.model import LoadedModel, load_model
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import weights_sha256
from alignrec.extractors.inputs.audio import Sound, resample, windows
from alignrec.extractors.modality import AUDIO
from alignrec.extractors.model_folder import weights_of
from alignrec.extractors.runtime import Runtime, to_numpy

MAIN_INPUTS = ("input_values", "input_features")
SECONDS, MOST_WINDOWS = 10, 16
# Of an item, whatever its length; runs of states beyond that are averaged.
MOST_TOKENS = 256
_MASK = "attention_mask"

Window = Mapping[str, NDArray[np.generic]]


class TransformersAudio(Extractor):
    """An audio model, or the audio side of a dual encoder, from a folder.

    A sound is resampled to the model's rate and read in windows of ten seconds, or of what the model reads
    at once if that is less; its vector is the mean of theirs. Pooled: a dual encoder's projection, or that
    of its tower; else the model's pooler; else the mean of the states.
    """

    def __init__(
        self, name: str, folder: Path, revision: str | None, licence: str | None, runtime: Runtime
    ) -> None:
        """Load feature extractor and model from a folder, without network.

        Raises:
            ExtractorError: files are missing, or the model does not embed sounds.
        """
        from transformers import AutoFeatureExtractor

        self._runtime = runtime
        loaded = load_model(folder, AUDIO, main_input=MAIN_INPUTS)
        self._dual = loaded.dual
        self._model = runtime.place(loaded.model)
        try:
            self._processor = AutoFeatureExtractor.from_pretrained(folder, local_files_only=True)
            self._rate = int(self._processor.sampling_rate)
        except (OSError, ValueError, AttributeError) as error:
            raise ExtractorError(
                f"{name}: its preprocessing of sounds cannot be read: {error}; "
                f"expected preprocessor_config.json in {folder}"
            ) from error
        self._window = min(SECONDS * self._rate, _most_samples(self._processor))
        self.device = runtime.device.type
        self.batch_size = 32 if runtime.is_cuda else 4
        # Zeros that fill up a batch change what a norm over the whole of a sound gives.
        self._pads = getattr(loaded.config, "feat_extract_norm", "layer") != "group"
        tone = np.sin(np.arange(self._window) * (2 * np.pi * 440 / self._rate)).astype(np.float32) / 2
        probes = [self.prepare(Sound(samples, self._rate)) for samples in (tone, tone[: len(tone) // 2])]
        try:
            self._pooling = _pooling(loaded, self._forward(probes[0])[0])
            probe = self.embed(probes, tokens=True)
        except (ValueError, RuntimeError) as error:
            raise ExtractorError(
                f"{name}: the model cannot read what its preprocessing gives: {error}; correct "
                f"preprocessor_config.json in {folder}, or choose another"
            ) from error
        if probe.tokens is None or not np.allclose(probe.pooled, self.embed(probes).pooled, atol=1e-5):
            raise ExtractorError(f"{name}: the same sound gives other values each time: choose another model")
        self.card = ExtractorCard(
            name=name,
            modality=AUDIO.name,
            revision=revision,
            weights_sha256=weights_sha256(folder, weights_of(folder)),
            dim=probe.pooled.shape[1],
            token_dim=probe.tokens.shape[2],
            preprocessing={
                **json.loads(self._processor.to_json_string()),
                "pooling": self._pooling,
                "window": self._window,
                "most_windows": MOST_WINDOWS,
                "most_tokens": MOST_TOKENS,
            },
            licence=licence,
        )

    def prepare(self, value: Any) -> list[Window]:
        """The processor's arrays for each window, without the batch dimension."""
        assert isinstance(value, Sound)
        prepared: list[Window] = []
        for part in windows(resample(value, self._rate), self._window, MOST_WINDOWS):
            batch = self._processor(part, sampling_rate=self._rate, return_tensors="np")
            prepared.append({key: _narrow(np.asarray(array[0])) for key, array in batch.items()})
        return prepared

    def embed(self, prepared: Sequence[Sequence[Window]], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        parts = [window for item in prepared for window in item]
        vectors: list[Any] = [None] * len(parts)
        states: list[Any] = [None] * len(parts)
        for places in self._batches(parts):
            output, hidden, real = self._forward([parts[place] for place in places])
            pooled = to_numpy(self._pool(output, hidden, real))
            lengths = real.sum(dim=1).tolist()
            for row, place in enumerate(places):
                vectors[place] = pooled[row]
                states[place] = to_numpy(hidden[row, : lengths[row]]) if tokens else None
        bounds = np.cumsum([0, *(len(item) for item in prepared)])
        spans = [slice(*span) for span in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)]
        means = np.stack([np.mean(vectors[span], axis=0, dtype=np.float32) for span in spans])
        if not tokens:
            return Embeddings(means)
        return Embeddings(means, *_padded([_joined(states[span]) for span in spans]))

    def _batches(self, parts: Sequence[Window]) -> Iterator[list[int]]:
        """Places of windows that go through the model together, like with like."""
        sizes = [_size(part) for part in parts]
        order = sorted(range(len(parts)), key=lambda place: sizes[place])
        batch: list[int] = []
        for place in order:
            fits = not batch or sizes[place] == sizes[batch[0]] or (self._pads and _MASK in parts[place])
            if batch and (not fits or len(batch) == self.batch_size):
                yield batch
                batch = []
            batch.append(place)
        yield batch

    def _forward(self, parts: Sequence[Window]) -> tuple[Any, torch.Tensor, torch.Tensor]:
        """The model's output, its states float32 `[b, t, d]`, and the bool mask `[b, t]` of real ones."""
        inputs = {key: self._runtime.tensor(_stacked([part[key] for part in parts])) for key in parts[0]}
        with self._runtime.forward():
            output = self._model.get_audio_features(**inputs) if self._dual else self._model(**inputs)
            states = output.last_hidden_state.float()
            if states.ndim == 4:
                states = states.flatten(2).transpose(1, 2)
            real = torch.ones(states.shape[:2], dtype=torch.bool, device=states.device)
            mask = inputs.get(_MASK)
            if mask is not None and mask.shape[1] == states.shape[1]:
                real = mask.bool()
            elif mask is not None and hasattr(self._model, "_get_feature_vector_attention_mask"):
                real = self._model._get_feature_vector_attention_mask(states.shape[1], mask).bool()
        return output, states, real

    def _pool(self, output: Any, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """`[b, d]` from the model's output and its states `[b, t, d]`."""
        if self._pooling == "projection":
            projected: torch.Tensor = output.audio_embeds
            return projected.float()
        if self._pooling in ("features", "pooler"):
            pooled: torch.Tensor = output.pooler_output
            return pooled.float()
        weights = real.unsqueeze(-1).float()
        return (states * weights).sum(dim=1) / weights.sum(dim=1)


def _pooling(loaded: LoadedModel, output: Any) -> str:
    """The pooling that a loaded model supports, best first, given one of its outputs."""
    if loaded.dual:
        return "features"
    if loaded.projected:
        return "projection"
    return "pooler" if getattr(output, "pooler_output", None) is not None else "mean"


def _most_samples(processor: Any) -> int:
    """How many samples a feature extractor reads before it would cut some off."""
    if hasattr(processor, "nb_max_samples"):  # CLAP's
        return int(processor.nb_max_samples)
    frames = getattr(processor, "max_length", None)
    if frames is None:
        return SECONDS * int(processor.sampling_rate)
    # The spectrogram transformer's: frames of 25 ms every 10 ms.
    hop, frame = processor.sampling_rate // 100, processor.sampling_rate // 40
    return int(frame + (frames - 1) * hop)


def _narrow(array: NDArray[Any]) -> NDArray[np.generic]:
    """Floats as models take them."""
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def _size(part: Window) -> int:
    """How long a prepared window is."""
    return next(len(part[key]) for key in MAIN_INPUTS if key in part)


def _stacked(arrays: Sequence[NDArray[np.generic]]) -> NDArray[np.generic]:
    """Arrays in a batch, shorter ones filled up with zeros at their ends."""
    longest = max((len(array) for array in arrays if array.ndim), default=0)
    return np.stack(
        [np.pad(a, [(0, longest - len(a))] + [(0, 0)] * (a.ndim - 1)) if a.ndim else a for a in arrays]
    )


def _joined(states: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """The states of an item's windows end to end, float32 `[t, d]`, at most `MOST_TOKENS` of them."""
    most = max(1, MOST_TOKENS // len(states))
    return np.concatenate([_thinned(one, most) for one in states])


def _thinned(states: NDArray[np.float32], most: int) -> NDArray[np.float32]:
    """States `[t, d]`; beyond `most`, the means of so many runs of about equal length."""
    if len(states) <= most:
        return states
    starts = np.arange(most) * len(states) // most
    sums = np.add.reduceat(states, starts, axis=0)
    means: NDArray[np.float32] = (sums / np.diff([*starts, len(states)])[:, None]).astype(np.float32)
    return means


def _padded(sequences: Sequence[NDArray[np.float32]]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Sequences in one array `[b, t, d]`, and which of its rows are real, bool `[b, t]`."""
    lengths = np.array([len(sequence) for sequence in sequences])
    tokens = np.zeros((len(sequences), lengths.max(), sequences[0].shape[1]), dtype=np.float32)
    for row, sequence in enumerate(sequences):
        tokens[row, : len(sequence)] = sequence
    return tokens, np.arange(lengths.max()) < lengths[:, None]
