"""The beginnings of sounds, small enough that hundreds fit one file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import numpy as np

from alignrec.extractors.errors import ExtractorError, RejectedError
from alignrec.extractors.inputs.audio import Sound, decode_audio, library, resample

SECONDS = 2
RATE = 16_000
# As soundfile has it, from 0 to 1: some 3 kB a second.
COMPRESSION = 0.9
# Under this share of the loudest sample, a sound has not begun.
_QUIET = 0.02
_FADE = 0.05  # seconds in which the end falls silent

# What gives a sound's bytes when it is called.
Source = Callable[[], bytes]


def players(sources: Iterable[Source | None], budget: int) -> list[str]:
    """Base64 MP3 of the first two seconds of each sound, mono, at 16 kHz.

    Args:
        sources: where each sound comes from; None where there is none.
        budget: characters that all may take together; those that come first are kept.

    Returns:
        For each source the sound, "" where there is none that can be decoded, or no room for it.
    """
    with ThreadPoolExecutor() as pool:
        every = list(pool.map(_beginning, sources))
    found = []
    for data in every:
        fits = len(data) <= budget
        budget -= len(data) if fits else budget
        found.append(data if fits else "")
    return found


def _beginning(source: Source | None) -> str:
    if source is None:
        return ""
    try:
        return b64encode(_encoded(decode_audio(source()))).decode()
    except (RejectedError, ExtractorError, OSError):
        return ""


def _encoded(sound: Sound) -> bytes:
    loud = np.abs(sound.samples) > _QUIET * np.abs(sound.samples).max()
    start = int(loud.argmax())
    part = Sound(sound.samples[start : start + SECONDS * sound.rate], sound.rate)
    samples = resample(part, RATE)
    fade = min(len(samples), int(_FADE * RATE))
    samples = np.concatenate([samples[:-fade], samples[-fade:] * np.linspace(1, 0, fade, dtype=np.float32)])
    out = BytesIO()
    library().write(
        out,
        np.clip(samples, -1, 1),
        RATE,
        format="MP3",
        bitrate_mode="VARIABLE",
        compression_level=COMPRESSION,
    )
    return out.getvalue()
