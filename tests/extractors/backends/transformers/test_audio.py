"""Sounds by transformers models: the values of transformers itself, whatever the batch, rate and channels."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
import transformers
from scipy.signal import resample_poly

from alignrec.extractors.backends.transformers.audio import MOST_TOKENS, TransformersAudio
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.inputs.audio import Sound, decode_audio
from alignrec.extractors.runtime import Runtime
from tests.extractors import models

CPU = Runtime(torch.device("cpu"))
FOLDERS: dict[str, Callable[[Path], Path]] = {
    "wav2vec2": models.wav2vec2,
    "wav2vec2-masked": lambda folder: models.wav2vec2(folder, norm="layer"),
    "hubert": models.hubert,
    "ast": models.ast,
    "clap": models.clap,
    "clap-fusion": lambda folder: models.clap(folder, fusion=True),
    "clap-tower": models.clap_tower,
    "clap-tower-bare": lambda folder: models.clap_tower(folder, projection=False),
}
# In seconds, each at most a window of every model here.
LENGTHS = (0.21, 0.34, 0.6, 0.5, 0.34)


def noise(seconds: float, rate: int, seed: int = 0) -> np.ndarray:
    """Band-limited, so that resampling loses nothing."""
    white = np.random.default_rng(seed).standard_normal(int(seconds * rate))
    return (0.1 * np.convolve(white, np.hanning(31), "same") / 4).astype(np.float32)


def load(folder: Path) -> TransformersAudio:
    return TransformersAudio("transformers:x", folder, None, None, CPU)


@pytest.fixture(scope="module", params=FOLDERS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    saved: Path = FOLDERS[request.param](tmp_path_factory.mktemp(request.param))
    return saved


@pytest.fixture(scope="module")
def extractor(folder: Path) -> TransformersAudio:
    return load(folder)


@torch.inference_mode()
def theirs(folder: Path, samples: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What transformers gives for one waveform at the model's rate: the vector and the states."""
    config = json.loads((folder / "config.json").read_text())
    kind = getattr(transformers, config["architectures"][0])
    model = kind.from_pretrained(folder).eval()
    processor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    inputs = processor(samples, sampling_rate=processor.sampling_rate, return_tensors="pt")
    if kind is transformers.ClapModel:
        output = model.get_audio_features(**inputs)
        vector = output.pooler_output
    else:
        output = model(**inputs)
        found = (output.get(key) for key in ("audio_embeds", "pooler_output"))
        vector = next((v for v in found if v is not None), output.last_hidden_state.mean(dim=1))
    states = output.last_hidden_state
    states = states.flatten(2).transpose(1, 2) if states.ndim == 4 else states
    return vector[0].numpy(), states[0].numpy()


def test_vector_and_states_are_transformers_own_in_a_padded_batch(
    folder: Path, extractor: TransformersAudio
) -> None:
    sounds = [noise(seconds, extractor._rate, n) for n, seconds in enumerate(LENGTHS)]
    embedded = extractor.embed(
        [extractor.prepare(Sound(samples, extractor._rate)) for samples in sounds], tokens=True
    )
    assert embedded.tokens is not None and embedded.mask is not None
    for row, samples in enumerate(sounds):
        vector, states = theirs(folder, samples)
        np.testing.assert_allclose(embedded.pooled[row], vector, atol=1e-5, rtol=1e-5)
        assert len(states) <= MOST_TOKENS and embedded.mask[row].sum() == len(states)
        np.testing.assert_allclose(embedded.tokens[row, : len(states)], states, atol=2e-5, rtol=1e-5)


@pytest.mark.parametrize(("rate", "channels"), [(44_100, 1), (22_050, 2), (48_000, 6), (8_000, 2)])
def test_other_rates_and_channels_are_resampled_and_averaged_first(
    folder: Path, extractor: TransformersAudio, rate: int, channels: int
) -> None:
    parts = np.stack([noise(0.5, rate, seed) for seed in range(channels)], axis=1)
    file = io.BytesIO()
    soundfile.write(file, parts, rate, format="WAV", subtype="FLOAT")
    ours = extractor.embed([extractor.prepare(decode_audio(file.getvalue()))]).pooled[0]
    common = np.gcd(rate, extractor._rate)
    mono = resample_poly(parts.mean(axis=1), extractor._rate // common, rate // common)
    np.testing.assert_allclose(ours, theirs(folder, mono)[0], atol=1e-5, rtol=1e-5)


def test_one_and_sixty_four_a_batch(extractor: TransformersAudio) -> None:
    prepared = [
        extractor.prepare(Sound(noise(0.2 + 0.01 * (n % 30), extractor._rate, n), extractor._rate))
        for n in range(64)
    ]
    extractor.batch_size = 64
    together = extractor.embed(prepared).pooled
    extractor.batch_size = 1
    alone = np.concatenate([extractor.embed([one]).pooled for one in prepared])
    np.testing.assert_allclose(alone, together, atol=1e-5, rtol=1e-5)


def test_a_long_sound_is_the_mean_of_its_windows(folder: Path, extractor: TransformersAudio) -> None:
    window, rate = extractor._window, extractor._rate
    samples = noise(2.5 * window / rate, rate)
    starts = (0, round(0.75 * window), len(samples) - window)
    expected = np.mean([theirs(folder, samples[s : s + window])[0] for s in starts], axis=0)
    embedded = extractor.embed([extractor.prepare(Sound(samples, rate))], tokens=True)
    np.testing.assert_allclose(embedded.pooled[0], expected, atol=1e-5, rtol=1e-5)
    assert embedded.mask is not None and embedded.mask.sum() <= MOST_TOKENS


def test_states_beyond_the_most_are_means_of_runs(tmp_path: Path) -> None:
    extractor = load(models.wav2vec2(tmp_path))
    samples = noise(8, 16_000)
    _, states = theirs(tmp_path, samples)
    assert len(states) > MOST_TOKENS
    embedded = extractor.embed([extractor.prepare(Sound(samples, 16_000))], tokens=True)
    assert embedded.tokens is not None and embedded.tokens.shape[1] == MOST_TOKENS
    first, rest = len(states) // MOST_TOKENS, len(states) / MOST_TOKENS
    assert first <= rest
    np.testing.assert_allclose(embedded.tokens[0, 0], states[:first].mean(axis=0), atol=1e-5)
    np.testing.assert_allclose(embedded.pooled[0], states.mean(axis=0), atol=1e-5)


def test_a_folder_without_preprocessing_and_a_model_of_texts(tmp_path: Path) -> None:
    bare = models.wav2vec2(tmp_path / "bare")
    (bare / "preprocessor_config.json").unlink()
    with pytest.raises(ExtractorError, match=r"expected preprocessor_config\.json"):
        load(bare)
    with pytest.raises(ExtractorError, match="does not embed sounds"):
        load(models.bert(tmp_path / "bert"))
