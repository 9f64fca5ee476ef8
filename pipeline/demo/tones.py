"""The sounds of the demo's products: a tone whose timbre no picture shows and no text names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self
from wave import open as open_wave

import numpy as np
from numpy.typing import NDArray

RATE = 16_000
_SECONDS = 1.0
_LEVEL = 0.5


@dataclass(frozen=True)
class Timbre:
    """What a tone is made of.

    Attributes:
        partials: frequency, as a multiple of the pitch, and strength of each.
        attack: seconds until it is at its loudest.
        decay: seconds in which it then falls to a third.
    """

    partials: tuple[tuple[float, float], ...]
    attack: float
    decay: float


TIMBRES: dict[str, Timbre] = {
    "bell": Timbre(((1, 1), (2.76, 0.7), (5.4, 0.5), (8.93, 0.3)), 0.005, 0.35),
    "flute": Timbre(((1, 1), (2, 0.12), (3, 0.05)), 0.12, 3.0),
    "reed": Timbre(tuple((n, 1 / n) for n in range(1, 16, 2)), 0.04, 2.0),
    "string": Timbre(tuple((n, 1 / n) for n in range(1, 13)), 0.008, 0.5),
}
# Hertz; a theme has its own register.
REGISTERS: dict[str, float] = {"low": 165.0, "middle": 247.0, "high": 370.0, "top": 554.0}


@dataclass(frozen=True)
class Play:
    """What no attribute decides.

    Attributes:
        tuning: the pitch as a multiple of the register's.
        vibrato: in hertz.
        noise: beside the tone, as a share of its loudness.
        loudness: 1 is as loud as a file can be.
        phases: of the partials, in turns.
        seed: of the noise.
    """

    tuning: float
    vibrato: float
    noise: float
    loudness: float
    phases: tuple[float, ...]
    seed: int

    @classmethod
    def by(cls, rng: np.random.Generator) -> Self:
        """Draw all of it."""
        tuning, vibrato = float(2 ** rng.uniform(-1 / 6, 1 / 6)), float(rng.uniform(3, 7))
        noise, loudness = float(rng.uniform(0.01, 0.08)), float(rng.uniform(0.3, 0.9))
        phases = tuple(rng.random(16).tolist())
        return cls(tuning, vibrato, noise, loudness, phases, int(rng.integers(2**32)))


def tone(timbre: str, register: str, play: Play) -> NDArray[np.int16]:
    """One product's sound, int16 `[RATE]`, a second long; KeyError for an unknown name."""
    kind, hertz = TIMBRES[timbre], REGISTERS[register] * play.tuning
    time = np.arange(int(_SECONDS * RATE)) / RATE
    turns = hertz * (time + 0.004 / play.vibrato * np.sin(2 * np.pi * play.vibrato * time))
    wave = sum(
        strength * np.sin(2 * np.pi * (multiple * turns + phase))
        for (multiple, strength), phase in zip(kind.partials, play.phases, strict=False)
        if multiple * hertz * 1.1 < RATE / 2
    )
    wave = wave * np.minimum(time / kind.attack, 1) * np.exp(-np.maximum(time - kind.attack, 0) / kind.decay)
    wave = wave / np.abs(wave).max()
    wave += play.noise * np.random.default_rng(play.seed).standard_normal(len(time))
    samples: NDArray[np.int16] = np.rint(32_767 * _LEVEL * play.loudness * np.clip(wave, -2, 2)).astype("<i2")
    return samples


def write_tone(path: Path, samples: NDArray[np.int16]) -> None:
    """Write a WAV file of 16 bits; what is already there is replaced."""
    with open_wave(str(path), "wb") as file:
        file.setparams((1, 2, RATE, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
