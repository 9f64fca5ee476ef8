"""Bytes to the waveform of a sound, or a reason why not; resampling, and windows over what is long."""

from __future__ import annotations

import io
import struct
from dataclasses import dataclass
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.extractors.errors import AudioRejectedError, ExtractorError

MAX_BYTES = 100 * 2**20
MAX_SECONDS = 20 * 60
MIN_SECONDS = 0.1  # less is a click, and shorter than what models look at together
# Of all channels; in float32, half a GiB.
MAX_SAMPLES = 128 * 10**6
RATES = (1_000, 400_000)
# Below it, 80 dB under full scale, nothing can be heard; above it, samples are no waveform.
QUIETEST, LOUDEST = 1e-4, 1e5
FORMATS = ("WAV", "FLAC", "OGG", "MP3")
# As libsndfile names them: RF64 and WAVEX are WAV files of more than 4 GB, and of more than two channels.
_READ = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3"}

_OTHERS = {
    "AIFF": (b"FORM",),
    "AU": (b".snd",),
    "WMA": (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",),
    "Matroska or WebM": (b"\x1a\x45\xdf\xa3",),
    "WavPack": (b"wvpk",),
    "Monkey's Audio": (b"MAC ",),
    "DSD": (b"DSD ", b"FRM8"),
    "MIDI": (b"MThd",),
    "AMR": (b"#!AMR",),
    "CAF": (b"caff",),
}
# WAV files that are written to a pipe do not know their length, and state the most that there can be.
_UNKNOWN_LENGTH = (0, 0x7FFFFFFF, 0xFFFFFFFF)
_LAST_PAGE = 4  # a flag of an Ogg page: the last of its stream


@dataclass(frozen=True, eq=False)
class Sound:
    """A mono waveform.

    Attributes:
        samples: float32 `[n]`, full scale at ±1.
        rate: samples a second.
    """

    samples: NDArray[np.float32]
    rate: int


def decode_audio(data: bytes, *, max_seconds: float = MAX_SECONDS, max_bytes: int = MAX_BYTES) -> Sound:
    """Decode one sound by its content, whatever its file is called; channels are averaged.

    Size and length are checked before anything is decoded: the length by what the header states. Safe to
    call from several threads.

    Args:
        data: the file's bytes: WAV, FLAC, Ogg (Vorbis, Opus or FLAC) or MP3.
        max_seconds: length allowed.
        max_bytes: size of the file allowed.

    Raises:
        AudioRejectedError: its reason is `empty`, `too-large`, `not-audio`, `unreadable-format`, `too-long`,
            `too-short`, `too-many-samples`, `truncated`, `damaged` or `silent`.
        ExtractorError: soundfile, which decodes, is not installed.
    """
    if not data:
        raise AudioRejectedError("empty", "the file has no content")
    if len(data) > max_bytes:
        raise AudioRejectedError("too-large", f"the file has {len(data):,} bytes, more than {max_bytes:,}")
    name = audio_format(data)
    if name is None:
        raise AudioRejectedError("not-audio", f"the content is none of {', '.join(FORMATS)}")
    if name not in FORMATS:
        raise AudioRejectedError(
            "unreadable-format", f"{name} sounds are not read: convert them to {', '.join(FORMATS)}"
        )
    return _mono(*_decoded(data, name, max_seconds))


def audio_format(data: bytes) -> str | None:
    """The format that a file's first bytes show, whether it is decoded here or not; None for no sound."""
    start = data[:16]
    if start[:4] in (b"RIFF", b"RF64") and start[8:12] == b"WAVE":
        return "WAV"
    if start.startswith(b"fLaC"):
        return "FLAC"
    if start.startswith(b"OggS"):
        return "OGG"
    if start.startswith(b"ID3") or _is_mpeg_frame(start):
        return "MP3"
    if start[4:8] == b"ftyp" and start[8:12] in (b"M4A ", b"M4B ", b"isom", b"mp42", b"mp41", b"iso2"):
        return "M4A (AAC)"
    return next((name for name, marks in _OTHERS.items() if start.startswith(marks)), None)


def _is_mpeg_frame(start: bytes) -> bool:
    """Whether bytes begin with the header of an MPEG audio frame: a sync word and no reserved value.

    Layer 0 is that of AAC in ADTS, which shares the sync word.
    """
    if len(start) < 4 or start[0] != 0xFF or start[1] & 0xE0 != 0xE0:
        return False
    version, layer = start[1] >> 3 & 3, start[1] >> 1 & 3
    return version != 1 and layer != 0 and start[2] >> 4 != 15 and start[2] >> 2 & 3 != 3


def library() -> Any:
    """The module soundfile, which comes with the extra `audio`.

    Raises:
        ExtractorError: it is not installed, or its own library is not.
    """
    try:
        import soundfile  # an extra: whoever has no sounds does without
    except (ImportError, OSError) as error:
        raise ExtractorError(
            f"sounds are decoded by soundfile, which cannot be imported here ({error}): "
            "pip install 'alignrec[audio]'"
        ) from None
    return soundfile


def _decoded(data: bytes, name: str, max_seconds: float) -> tuple[NDArray[np.float32], int]:
    """All samples, float32 `[frames, channels]`, and the rate."""
    soundfile = library()
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            frames, rate, channels = file.frames, file.samplerate, file.channels
            if file.format not in _READ:
                raise AudioRejectedError("unreadable-format", f"{file.format} sounds are not read")
            _check_length(frames, rate, channels, max_seconds)
            samples: NDArray[np.float32] = file.read(frames, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise _fault(data, name, error) from None
    if len(samples) < frames or _is_cut_short(data, name):
        raise AudioRejectedError(
            "truncated",
            f"the {name} file ends after {len(samples) / rate:.1f} s, before the end that it states",
        )
    return samples, rate


def _check_length(frames: int, rate: int, channels: int, max_seconds: float) -> None:
    low, high = RATES
    if not low <= rate <= high:
        raise AudioRejectedError("damaged", f"{rate:,} samples a second are no rate of a sound")
    if frames > max_seconds * rate:
        raise AudioRejectedError(
            "too-long", f"{frames / rate:,.0f} s are more than the {max_seconds:,} allowed"
        )
    if frames * channels > MAX_SAMPLES:
        raise AudioRejectedError(
            "too-many-samples", f"{frames:,} samples of {channels} channels are more than {MAX_SAMPLES:,}"
        )


def audible(sound: Sound) -> Sound:
    """The same sound, if there is something to hear, as in one that was decoded.

    Raises:
        AudioRejectedError: its reason is `too-short`, `too-long`, `damaged` or `silent`.
    """
    if sound.samples.ndim != 1:
        raise AudioRejectedError("damaged", f"samples of shape {list(sound.samples.shape)} are not mono")
    _check_length(len(sound.samples), sound.rate, 1, MAX_SECONDS)
    return _mono(np.asarray(sound.samples, dtype=np.float32)[:, None], sound.rate)


def _mono(samples: NDArray[np.float32], rate: int) -> Sound:
    """The mean of the channels, if there is something to hear."""
    if len(samples) < MIN_SECONDS * rate:
        raise AudioRejectedError("too-short", f"{len(samples) / rate:.3f} s are less than {MIN_SECONDS} s")
    peak = float(np.abs(samples).max())  # NaN where one sample is
    if not peak <= LOUDEST:
        raise AudioRejectedError("damaged", f"samples of up to {peak:g} are no waveform")
    mono = samples.mean(axis=1, dtype=np.float32)
    heard = float(np.abs(mono).max())
    if heard < QUIETEST:
        why = "its channels cancel one another" if peak >= QUIETEST else "there is nothing to hear"
        raise AudioRejectedError("silent", f"{why}: no sample is above {QUIETEST:g} of full scale")
    return Sound(mono, rate)


def _fault(data: bytes, name: str, error: Any) -> AudioRejectedError:
    """Why libsndfile does not read a file."""
    reason = " ".join(str(error.error_string).split()).rstrip(".")
    if _is_cut_short(data, name):
        return AudioRejectedError("truncated", f"the {name} file ends too early ({reason})")
    return AudioRejectedError("damaged", f"the {name} file cannot be decoded ({reason})")


def _is_cut_short(data: bytes, name: str) -> bool:
    """Whether a file's own structure goes on beyond its end, which libsndfile lets pass."""
    if name == "WAV":
        return _chunks_end(data) > len(data)
    return name == "OGG" and not _ends_with_last_page(data)


def _chunks_end(data: bytes) -> int:
    """Where a WAV file says that its samples end; 0 where it does not say."""
    place, large = 12, 0
    while place + 8 <= len(data):
        name, size = data[place : place + 4], struct.unpack_from("<I", data, place + 4)[0]
        if (
            name == b"ds64" and len(data) >= place + 24
        ):  # the sizes of an RF64 file, which 32 bits cannot hold
            large = struct.unpack_from("<Q", data, place + 16)[0]
        if name == b"data" and size in _UNKNOWN_LENGTH:
            return place + 8 + large if large else 0
        if name == b"data":
            return place + 8 + int(size)
        place += 8 + size + size % 2
    return len(data) + 1


def _ends_with_last_page(data: bytes) -> bool:
    """Whether the last page of an Ogg file is whole, and marked as the last."""
    place = data.rfind(b"OggS")
    if len(data) < place + 27:
        return False
    head = place + 27 + data[place + 26]
    return bool(data[place + 5] & _LAST_PAGE) and head + sum(data[place + 27 : head]) <= len(data)


def resample(sound: Sound, rate: int) -> NDArray[np.float32]:
    """The samples at another rate, float32 `[n · rate / sound.rate]`, by a polyphase filter."""
    if sound.rate == rate:
        return sound.samples
    from scipy.signal import resample_poly  # slow to import

    common = gcd(sound.rate, rate)
    resampled: NDArray[np.float32] = resample_poly(sound.samples, rate // common, sound.rate // common)
    return resampled.astype(np.float32, copy=False)


def windows(samples: NDArray[np.float32], length: int, most: int) -> list[NDArray[np.float32]]:
    """Samples cut into windows of equal length, evenly spread from the first sample to the last.

    They overlap by less than a window where all of it takes no more than `most`; of what is longer some is
    between them.

    Args:
        samples: float32 `[n]`.
        length: of a window; what is no longer is one window as it is.
        most: windows at most.
    """
    if len(samples) <= length:
        return [samples]
    count = min(most, -(-len(samples) // length))
    starts = np.linspace(0, len(samples) - length, count).round().astype(np.int64)
    return [samples[start : start + length] for start in starts]


def wav_bytes(samples: NDArray[np.floating[Any]] | NDArray[np.integer[Any]], rate: int) -> bytes:
    """The WAV file, of 32-bit floats, that holds a waveform: `[n]`, or `[n, channels]`.

    Raises:
        ValueError: it is no waveform: of other dimensions, or with too many channels.
    """
    waveform = np.asarray(samples, dtype="<f4")
    waveform = waveform[:, None] if waveform.ndim == 1 else waveform
    if waveform.ndim != 2 or not 0 < waveform.shape[1] <= 64 or not 0 < rate < 2**31:
        raise ValueError(
            f"an array of shape {list(np.shape(samples))} at {rate} samples a second is no sound"
        )
    channels, body = waveform.shape[1], waveform.tobytes()
    layout = struct.pack("<HHIIHH", 3, channels, rate, rate * channels * 4, channels * 4, 32)
    chunks = b"WAVE" + b"fmt " + struct.pack("<I", len(layout)) + layout
    chunks += b"data" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunks)) + chunks
