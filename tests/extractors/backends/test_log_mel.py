"""The spectrum of a sound on the mel scale: what it is of, and what does not matter to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from alignrec.extractors.backends.log_mel import (
    BANDS,
    MOST_WINDOWS,
    RATE,
    SHA256,
    TOKEN,
    WINDOW,
    LogMel,
    identify,
    load,
)
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.inputs.audio import Sound
from alignrec.extractors.modality import AUDIO, IMAGE, Modality
from alignrec.extractors.names import ModelName

NAME = ModelName.parse("signal:log-mel")
HEARD = Modality("jingle", AUDIO)
RUNTIME: Any = None
MODEL = LogMel("signal:log-mel")


def tone(hertz: float, seconds: float = 1.0, rate: int = RATE) -> Sound:
    time = np.arange(int(seconds * rate)) / rate
    return Sound((0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32), rate)


def vector(sound: Sound) -> np.ndarray:
    return MODEL.embed([MODEL.prepare(sound)]).pooled[0]


def test_a_tone_is_loudest_in_the_band_around_it() -> None:
    loudest = [int(vector(tone(hertz))[:BANDS].argmax()) for hertz in (200, 1000, 4000)]
    edges = np.linspace(*(2595 * np.log10(1 + np.array([50, 8000]) / 700)), BANDS + 2)
    expected = [int(np.abs(edges[1:-1] - 2595 * np.log10(1 + h / 700)).argmin()) for h in (200, 1000, 4000)]
    assert np.abs(np.array(loudest) - expected).max() <= 1


def test_loudness_does_not_matter_and_the_range_is_eighty_decibels() -> None:
    loud, quiet = tone(440), tone(440)
    quiet = Sound(quiet.samples / 64, quiet.rate)
    np.testing.assert_allclose(vector(loud), vector(quiet), atol=1e-5)
    bands = MODEL.prepare(loud)
    assert bands.max() == 0 and bands.min() == -4  # in units of 20 decibels


def test_another_rate_of_the_same_tone_is_nearly_the_same() -> None:
    low, high = vector(tone(440))[:BANDS], vector(tone(440, rate=48_000))[:BANDS]
    assert np.abs(low - high)[low > -2].max() < 0.02


def test_deviation_is_over_time() -> None:
    steady, moving = tone(440, 2), tone(440)
    moving = Sound(np.concatenate([moving.samples, tone(3000).samples]), RATE)
    band = int(vector(steady)[:BANDS].argmax())
    assert vector(moving)[BANDS + band] > 20 * vector(steady)[BANDS + band]


def test_tokens_are_means_of_sixteen_frames_and_the_last_of_what_is_left() -> None:
    prepared = MODEL.prepare(tone(440, 0.5))
    embedded = MODEL.embed([prepared, MODEL.prepare(tone(440, 2))], tokens=True)
    assert embedded.tokens is not None and embedded.mask is not None
    count = MODEL.length(prepared)
    assert embedded.mask.sum(axis=1)[0] == count == -(-len(prepared) // TOKEN)
    np.testing.assert_allclose(embedded.tokens[0, 0], prepared[:TOKEN].mean(axis=0), atol=1e-6)
    rest = prepared[(count - 1) * TOKEN :]
    np.testing.assert_allclose(embedded.tokens[0, count - 1], rest.mean(axis=0), atol=1e-6)


def test_what_is_long_is_read_in_windows() -> None:
    frames = (WINDOW - 400) // 160 + 1
    assert len(MODEL.prepare(tone(440, 25))) == 3 * frames
    assert len(MODEL.prepare(tone(440, 200))) == MOST_WINDOWS * frames


def test_it_has_one_name_and_reads_sounds_alone() -> None:
    identity = identify(NAME, HEARD, lambda path: str(path))
    assert identity.weights_sha256 == SHA256 == load(NAME, HEARD, RUNTIME).card.weights_sha256
    assert set(identity.libraries) == {"numpy", "scipy", "soundfile"}
    for name, modality, message in (
        ("signal:log-mell", HEARD, "did you mean 'log-mel'"),
        ("signal:log-mel@1", HEARD, "leave out '@1'"),
        ("signal:log-mel", Modality("photo", IMAGE), "a model of audio, not of image"),
    ):
        with pytest.raises(ExtractorError, match=message):
            load(ModelName.parse(name), modality, RUNTIME)
