"""Bytes to waveforms: formats by content, limits before decoding, reasons for what cannot be used."""

from __future__ import annotations

import io
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alignrec.extractors.errors import AudioRejectedError, ExtractorError
from alignrec.extractors.inputs.audio import (
    FORMATS,
    MAX_SAMPLES,
    Sound,
    audio_format,
    decode_audio,
    resample,
    wav_bytes,
    windows,
)
from tests.pipeline.catalogues import picture

RATE = 16_000
FILES = {
    "wav": ("WAV", "PCM_16"),
    "wav-float": ("WAV", "FLOAT"),
    "wav-8-bit": ("WAV", "PCM_U8"),
    "wav-adpcm": ("WAV", "MS_ADPCM"),
    "rf64": ("RF64", "PCM_24"),
    "flac": ("FLAC", "PCM_16"),
    "vorbis": ("OGG", "VORBIS"),
    "opus": ("OGG", "OPUS"),
    "mp3": ("MP3", "MPEG_LAYER_III"),
}
EXACT = {"wav", "wav-float", "rf64", "flac"}


def wave(seconds: float = 1.0, channels: int = 1, rate: int = RATE) -> np.ndarray:
    time = np.arange(int(seconds * rate)) / rate
    parts = [0.4 * np.sin(2 * np.pi * 440 * (n + 1) * time) for n in range(channels)]
    return np.stack(parts, axis=1)


def encoded(form: str = "wav", samples: np.ndarray | None = None, rate: int = RATE) -> bytes:
    out, (name, subtype) = io.BytesIO(), FILES[form]
    soundfile.write(out, wave() if samples is None else samples, rate, format=name, subtype=subtype)
    return out.getvalue()


def rejected(data: bytes, **limits: float) -> AudioRejectedError:
    with pytest.raises(AudioRejectedError) as caught:
        decode_audio(data, **limits)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("form", FILES)
def test_each_format_gives_its_waveform(form: str) -> None:
    sound = decode_audio(encoded(form))
    assert (sound.rate, sound.samples.dtype) == (RATE, np.float32)
    # ADPCM fills its last block up with silence.
    assert len(sound.samples) == RATE or (form == "wav-adpcm" and RATE < len(sound.samples) < RATE + 1024)
    loss = np.abs(sound.samples[100 : RATE - 100] - wave()[100:-100, 0]).max()
    assert loss < (1e-4 if form in EXACT else 0.1)


@pytest.mark.parametrize("channels", [2, 6])
def test_channels_are_averaged(channels: int) -> None:
    parts = wave(0.5, channels, 44_100)
    sound = decode_audio(encoded("wav-float", parts, 44_100))
    assert sound.rate == 44_100
    np.testing.assert_allclose(sound.samples, parts.mean(axis=1), atol=1e-6)


@pytest.mark.parametrize("form", FILES)
def test_what_is_cut_short_says_so_or_is_damaged(form: str) -> None:
    """libsndfile gives a FLAC that ends too early for one that is broken."""
    data = encoded(form, wave(4))
    for share in (0.9, 0.5, 0.2):
        reason = rejected(data[: int(len(data) * share)]).reason
        assert reason == "truncated" or (reason == "damaged" and form == "flac")


@pytest.mark.parametrize("form", ["wav", "flac", "vorbis", "mp3"])
def test_other_bytes_than_a_sound(form: str) -> None:
    data = encoded(form)
    noise = np.random.default_rng(0).integers(0, 256, len(data), dtype=np.uint8).tobytes()
    assert rejected(data[:4] + noise).reason in ("damaged", "not-audio", "truncated")


@pytest.mark.parametrize(
    ("data", "reason", "says"),
    [
        (b"", "empty", "no content"),
        (b"just a text", "not-audio", "none of WAV, FLAC, OGG, MP3"),
        (picture(1), "not-audio", "none of"),
        (picture(1, "WEBP"), "not-audio", "none of"),  # RIFF too
        (b"\0\0\0\x20ftypM4A \0\0\0\0", "unreadable-format", "M4A (AAC) sounds are not read"),
        (b"FORM\0\0\0\x20AIFFCOMM", "unreadable-format", "AIFF"),
        (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(99), "unreadable-format", "WMA"),
        (b"\xff\xf1\x50\x80" + bytes(99), "not-audio", "none of"),  # AAC in ADTS
        (encoded("wav", np.zeros((RATE, 1))), "silent", "nothing to hear"),
        (encoded("mp3", np.zeros((RATE, 1))), "silent", "nothing to hear"),
        (encoded("wav", wave() * [[1, -1]]), "silent", "cancel one another"),
        (encoded("wav", wave(0.05)), "too-short", "0.050 s"),
        (encoded("wav", wave(0.0)), "too-short", "0.000 s"),
        (encoded("wav-float", np.full((RATE, 1), np.nan)), "damaged", "nan are no waveform"),
        (encoded("wav-float", np.full((RATE, 1), np.inf)), "damaged", "inf are no waveform"),
        (encoded("wav-float", np.full((RATE, 1), 1e30)), "damaged", "1e+30"),
        (encoded("wav")[:20] + b"\x99\x99" + encoded("wav")[22:], "damaged", "cannot be decoded"),
        (encoded("wav", rate=8_000)[:24] + struct.pack("<I", 1) + encoded("wav")[28:], "damaged", "no rate"),
    ],
)
def test_reasons(data: bytes, reason: str, says: str) -> None:
    error = rejected(data)
    assert error.reason == reason and says in error.detail


def test_length_and_size_are_checked_before_anything_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded("flac", wave(2))

    def read(*_: object, **__: object) -> None:
        raise AssertionError("decoded")

    monkeypatch.setattr(soundfile.SoundFile, "read", read)
    assert rejected(data, max_seconds=1.5).reason == "too-long"
    assert rejected(data, max_bytes=100).reason == "too-large"


def endless_flac(frames: int = 10**9) -> bytes:
    """A second of sound whose header states so many samples."""
    data = bytearray(encoded("flac"))
    # STREAMINFO: 20 bits of rate, 3 of channels, 5 of depth, 36 of the number of samples.
    place = 8 + 10
    packed = int.from_bytes(data[place : place + 8]) & ~((1 << 36) - 1)
    data[place : place + 8] = (packed | frames).to_bytes(8)
    return bytes(data)


def test_a_header_that_promises_more_than_there_is() -> None:
    assert rejected(endless_flac()).reason == "too-long"
    assert rejected(endless_flac(4 * RATE)).reason in ("truncated", "damaged")
    wav = bytearray(encoded("wav"))
    wav[40:44] = struct.pack("<I", 2 * 10**9)  # a thousand million samples
    assert rejected(bytes(wav)).reason == "truncated"


def test_a_wave_file_from_a_pipe_states_no_length() -> None:
    wav = bytearray(encoded("wav"))
    wav[4:8] = wav[40:44] = b"\xff\xff\xff\xff"
    assert len(decode_audio(bytes(wav)).samples) == RATE


def test_many_channels_are_many_samples() -> None:
    frames = MAX_SAMPLES // 64 + 1
    layout = struct.pack("<HHIIHH", 1, 64, 384_000, 384_000 * 64, 64, 8)
    head = b"RIFF\xff\xff\xff\xffWAVEfmt \x10\0\0\0" + layout + b"data" + struct.pack("<I", frames * 64)
    error = rejected(head + bytes(frames * 64), max_bytes=2**28)
    assert error.reason == "too-many-samples"


def test_formats_are_known_by_content() -> None:
    known = {form: audio_format(encoded(form)) for form in FILES}
    assert set(known.values()) == set(FORMATS)
    assert audio_format(b"ID3\x04" + bytes(20)) == "MP3"
    assert audio_format(picture(1)) is None and audio_format(b"") is None


def test_a_tagged_file_is_read() -> None:
    tag = b"ID3\x04\0\0\0\0\0\x0a" + bytes(10)
    assert len(decode_audio(tag + encoded("mp3")).samples) == RATE


def test_many_threads_read_the_same() -> None:
    files = [encoded(form) for form in FILES] * 4
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(decode_audio, files))
    for data, sound in zip(files, together, strict=True):
        np.testing.assert_array_equal(decode_audio(data).samples, sound.samples)


def test_without_soundfile_one_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "soundfile", None)
    with pytest.raises(ExtractorError, match=r"pip install 'alignrec\[audio\]'"):
        decode_audio(wav_bytes(wave(), RATE))
    assert rejected(b"a text").reason == "not-audio", "what needs no decoding needs no library"


def test_resampling_keeps_a_tone() -> None:
    sound = Sound(wave(1, 1, 44_100)[:, 0].astype(np.float32), 44_100)
    lower = resample(sound, RATE)
    assert lower.dtype == np.float32 and len(lower) == RATE
    np.testing.assert_allclose(lower[200:-200], wave()[200:-200, 0], atol=2e-3)
    assert resample(sound, 44_100) is sound.samples


@given(st.integers(1, 5_000), st.integers(1, 900), st.integers(2, 9))
def test_windows_are_whole_and_reach_from_end_to_end(count: int, length: int, most: int) -> None:
    samples = np.arange(count, dtype=np.float32)
    parts = windows(samples, length, most)
    assert len(parts) == min(most, -(-count // length)) and parts[0][0] == 0 and parts[-1][-1] == count - 1
    assert {len(part) for part in parts} == {min(count, length)}
    if count <= length * most:
        assert np.isin(samples, np.concatenate(parts)).all()


@pytest.mark.parametrize("shape", [(RATE,), (RATE, 2)])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_an_array_is_kept_as_a_file_without_loss(shape: tuple[int, ...], kind: type) -> None:
    samples = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32).astype(kind)
    data = wav_bytes(samples, 22_050)
    back, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    assert rate == 22_050
    np.testing.assert_array_equal(back, samples)


@pytest.mark.parametrize(("shape", "rate"), [((2, 3, 4), 8_000), ((4, 65), 8_000), ((9,), 0), ((), 8_000)])
def test_an_array_that_is_no_sound(shape: tuple[int, ...], rate: int) -> None:
    with pytest.raises(ValueError, match="no sound"):
        wav_bytes(np.zeros(shape), rate)


def flip(data: bytes, places: list[tuple[float, int]]) -> bytes:
    spoilt = bytearray(data)
    for share, value in places:
        spoilt[int(share * len(data))] = value
    return bytes(spoilt)


SPOILT: dict[str, Callable[[bytes, list[tuple[float, int]]], bytes]] = {
    "flipped": flip,
    "cut": lambda data, places: flip(data, places)[: int(places[0][0] * len(data))],
    "doubled": lambda data, places: data[: int(places[0][0] * len(data))] + flip(data, places),
}


@pytest.mark.parametrize("how", SPOILT)
@pytest.mark.parametrize("form", FILES)
@settings(
    max_examples=25, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(data=st.data())
def test_damage_is_a_sound_or_a_rejection_and_nothing_else(form: str, how: str, data: st.DataObject) -> None:
    share = st.floats(0, 1, exclude_max=True) | st.floats(0, 0.02)
    places = data.draw(st.lists(st.tuples(share, st.integers(0, 255)), min_size=1, max_size=6))
    try:
        sound = decode_audio(SPOILT[how](encoded(form, wave(0.3)), places))
    except AudioRejectedError as error:
        assert error.reason and len(error.detail) < 300
    else:
        assert np.isfinite(sound.samples).all() and sound.samples.ndim == 1
