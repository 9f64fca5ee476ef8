"""`signal:log-mel`: a sound's spectrum on the ear's scale, computed and not learned; needs no weights."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alignrec.core.errors import suggest
from alignrec.core.files import canonical_json
from alignrec.extractors.contract import Backend, Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import ExtractorIdentity, FileHash
from alignrec.extractors.inputs.audio import Sound, resample, windows
from alignrec.extractors.modality import AUDIO, Modality
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime

MODEL = "log-mel"
RATE = 16_000
FRAME, HOP, FFT = 400, 160, 512  # 25 ms every 10 ms
BANDS = 64
LOW, HIGH = 50.0, 8_000.0  # Hz
FLOOR = 80.0  # dB under the loudest
WINDOW, MOST_WINDOWS = 10 * RATE, 16
TOKEN = 16  # frames
PREPROCESSING: dict[str, Any] = {
    "rate": RATE,
    "frame": FRAME,
    "hop": HOP,
    "fft": FFT,
    "bands": BANDS,
    "hertz": [LOW, HIGH],
    "floor": FLOOR,
    "window": WINDOW,
    "most_windows": MOST_WINDOWS,
    "token": TOKEN,
    "scale": "htk",
    "pooling": "mean+std",
}
# There are no weights: what decides the values is what stands above, and this version of the code.
SHA256 = hashlib.sha256(canonical_json({"version": 1, **PREPROCESSING})).hexdigest()


class LogMel(Extractor):
    """Pooled: mean and deviation over time of each band, `[128]`. Tokens: means over 160 ms, `[t, 64]`.

    Values are decibels under the sound's loudest band and moment, in units of 20: how loud a recording is
    does not matter.
    """

    batch_size = 64

    def __init__(self, name: str) -> None:
        """Make the extractor of that name."""
        self.card = ExtractorCard(
            name=name,
            modality=AUDIO.name,
            revision=None,
            weights_sha256=SHA256,
            dim=2 * BANDS,
            token_dim=BANDS,
            preprocessing=dict(PREPROCESSING),
            licence=None,
        )

    def prepare(self, value: Any) -> NDArray[np.float32]:
        """The bands of every frame, float32 `[frames, 64]`."""
        assert isinstance(value, Sound)
        parts = windows(resample(value, RATE), WINDOW, MOST_WINDOWS)
        power = np.concatenate([_power(part) for part in parts]) @ _filters()
        loudest = max(float(power.max()), np.finfo(np.float64).tiny)
        decibels = 10 * np.log10(np.maximum(power / loudest, 10 ** (-FLOOR / 10)))
        bands: NDArray[np.float32] = (decibels / 20).astype(np.float32)
        return bands

    def length(self, prepared: NDArray[np.float32]) -> int:
        """Number of tokens."""
        return -(-len(prepared) // TOKEN)

    def embed(self, prepared: Sequence[NDArray[np.float32]], tokens: bool = False) -> Embeddings:
        """See `Extractor.embed`."""
        pooled = np.stack([np.concatenate([bands.mean(axis=0), bands.std(axis=0)]) for bands in prepared])
        if not tokens:
            return Embeddings(pooled)
        lengths = np.array([self.length(bands) for bands in prepared])
        sequences = np.zeros((len(prepared), lengths.max(), BANDS), dtype=np.float32)
        for row, bands in enumerate(prepared):
            starts = np.arange(0, len(bands), TOKEN)
            sums = np.add.reduceat(bands, starts, axis=0)
            sequences[row, : lengths[row]] = sums / np.diff([*starts, len(bands)])[:, None]
        return Embeddings(pooled, sequences, np.arange(lengths.max()) < lengths[:, None])


def _power(samples: NDArray[np.float32]) -> NDArray[np.float64]:
    """The power spectrum of each frame, `[frames, 257]`."""
    frames = np.lib.stride_tricks.sliding_window_view(samples.astype(np.float64), FRAME)[::HOP]
    spectrum = np.fft.rfft(frames * np.hanning(FRAME), FFT)
    return np.abs(spectrum) ** 2


@cache
def _filters() -> NDArray[np.float64]:
    """Triangles of equal height, evenly spaced on the mel scale of HTK, `[257, 64]`."""
    mel = np.linspace(_mel(LOW), _mel(HIGH), BANDS + 2)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    bins = np.fft.rfftfreq(FFT, 1 / RATE)[:, None]
    rising = (bins - hertz[:-2]) / (hertz[1:-1] - hertz[:-2])
    falling = (hertz[2:] - bins) / (hertz[2:] - hertz[1:-1])
    return np.maximum(0, np.minimum(rising, falling))


def _mel(hertz: float) -> float:
    return float(2595 * np.log10(1 + hertz / 700))


def _check(name: ModelName, modality: Modality) -> None:
    if name.model != MODEL:
        raise ExtractorError(f"{name.full}: no such model; {suggest(name.model, [MODEL])}")
    if name.revision is not None:
        raise ExtractorError(f"{name.full}: it is computed and has no revision; leave out '@{name.revision}'")
    if modality.kind.name != AUDIO.name:
        raise ExtractorError(f"{name.full} is a model of {AUDIO.name}, not of {modality.kind.name}")


def identify(name: ModelName, modality: Modality, _: FileHash) -> ExtractorIdentity:
    """The identity of `signal:log-mel`; see `Backend.identify`."""
    _check(name, modality)
    return ExtractorIdentity.of_name(name, modality, weights_sha256=SHA256, libraries=("numpy", "scipy"))


def load(name: ModelName, modality: Modality, runtime: Runtime) -> LogMel:  # noqa: ARG001
    """Make `signal:log-mel`; it computes on the CPU, whatever the device.

    Raises:
        ExtractorError: another model is asked for, or another kind of content.
    """
    _check(name, modality)
    return LogMel(name.full)


BACKEND = Backend("signal", identify, load, paths="none")
