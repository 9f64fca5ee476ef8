"""Sounds small enough for one file: their beginnings, within a budget, the same bytes again."""

from __future__ import annotations

import io
import sys
from base64 import b64decode
from functools import partial

import numpy as np
import pytest
import soundfile

from alignrec.extractors.inputs.audio import wav_bytes
from alignrec.pipeline.report.players import RATE, SECONDS, players
from tests.pipeline.catalogues import sound


def heard(found: str) -> np.ndarray:
    samples, rate = soundfile.read(io.BytesIO(b64decode(found)))
    assert rate == RATE and samples.ndim == 1
    return np.asarray(samples)


def test_a_sound_is_its_first_seconds_without_the_silence_before_them() -> None:
    time = np.arange(5 * 44_100) / 44_100
    wave = np.where(time < 1, 0, 0.5 * np.sin(2 * np.pi * 600 * time))
    [found] = players([partial(wav_bytes, np.stack([wave, wave], axis=1), 44_100)], 10**6)
    samples = heard(found)
    assert len(samples) == SECONDS * RATE and len(found) < 12_000
    spectrum = np.abs(np.fft.rfft(samples))
    assert spectrum.argmax() == 600 * SECONDS
    assert np.abs(samples[:RATE]).max() > 0.4 and np.abs(samples[-50:]).max() < 0.05, "it fades"


def test_those_that_come_first_are_kept_and_bytes_are_the_same_again() -> None:
    sources = [partial(sound, number, 0.5) for number in range(4)]
    every = players(sources, 10**6)
    assert all(every) and players(sources, 10**6) == every
    two = len(every[0]) + len(every[1])
    assert players(sources, two) == [*every[:2], "", ""]
    assert players(sources, 0) == [""] * 4


def test_what_cannot_be_heard_has_no_player(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent() -> bytes:
        raise FileNotFoundError

    assert players([None, lambda: b"no sound", absent, lambda: sound(1)[:-300]], 10**6) == [""] * 4
    monkeypatch.setitem(sys.modules, "soundfile", None)
    assert players([partial(sound, 1)], 10**6) == [""]
