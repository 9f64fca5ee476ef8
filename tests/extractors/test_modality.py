"""The kinds of content, and what they say of it."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from alignrec.core import libraries
from alignrec.extractors.errors import AudioRejectedError, ExtractorError, ImageRejectedError
from alignrec.extractors.inputs.audio import Sound, wav_bytes
from alignrec.extractors.inputs.images import reduction
from alignrec.extractors.modality import AUDIO, IMAGE, KINDS, MODALITIES, PAIR, TEXT, Modality, find_modality
from alignrec.extractors.testing import sample_photograph


def test_there_is_one_modality_of_each_kind() -> None:
    kinds = {"image": IMAGE, "text": TEXT, "audio": AUDIO, "pair": PAIR}
    assert kinds == KINDS and {name: Modality(name, kind) for name, kind in kinds.items()} == MODALITIES
    assert [find_modality(name) for name in kinds] == list(MODALITIES.values())


def test_a_name_that_is_not_known() -> None:
    with pytest.raises(ExtractorError) as caught:
        find_modality("video")
    assert str(caught.value) == "modality 'video' is unknown: use one of image, text, audio, pair"


def test_a_picture_is_decoded_and_can_be_blank() -> None:
    pixels = np.arange(48, dtype=np.uint8).reshape(4, 4, 3)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    assert IMAGE.decode is not None and IMAGE.blank is not None and IMAGE.format_of is not None
    assert np.array_equal(np.asarray(IMAGE.decode(file.getvalue())), pixels)
    with pytest.raises(ImageRejectedError, match="not-an-image"):
        IMAGE.decode(b"a text")
    large = sample_photograph(600, 1)
    assert [reduction(IMAGE.decoder(side)(large)) for side in (0, 64)] == [1, 2]
    assert TEXT.decoder(64)(b"a text") == b"a text"
    assert np.array_equal(np.asarray(IMAGE.blank()), np.zeros((64, 64, 3), dtype=np.uint8))
    assert (IMAGE.by_length, IMAGE.libraries, IMAGE.noun) == (False, ("pillow",), "picture")
    assert IMAGE.format_of(file.getvalue()) == "PNG" and ".webp" in IMAGE.endings


def test_a_text_is_read_as_it_stands_and_batched_by_length() -> None:
    assert (TEXT.decode, TEXT.blank, TEXT.by_length, TEXT.libraries) == (None, None, True, ())
    assert (TEXT.noun, TEXT.endings, TEXT.format_of) == ("text", (), None)


def test_a_sound_is_decoded_and_can_be_blank() -> None:
    samples = np.linspace(-1, 1, 4_000, dtype=np.float32)
    assert AUDIO.decode is not None and AUDIO.blank is not None and AUDIO.format_of is not None
    sound = AUDIO.decode(wav_bytes(samples, 8_000))
    assert isinstance(sound, Sound) and sound.rate == 8_000
    np.testing.assert_array_equal(sound.samples, samples)
    with pytest.raises(AudioRejectedError, match="not-audio"):
        AUDIO.decode(b"a text")
    assert not AUDIO.blank().samples.any()
    assert (AUDIO.by_length, AUDIO.libraries, AUDIO.noun) == (False, ("soundfile", "scipy"), "sound")
    assert AUDIO.format_of(wav_bytes(samples, 8_000)) == "WAV" and ".mp3" in AUDIO.endings


def test_what_decodes_a_kind_may_not_be_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in KINDS.values():
        kind.check()

    def version(name: str) -> str:
        raise libraries.PackageNotFoundError(name)

    monkeypatch.setattr(libraries, "version", version)
    TEXT.check()
    with pytest.raises(
        ExtractorError, match=r"decoded by soundfile, which .* pip install 'alignrec\[audio\]'"
    ):
        AUDIO.check()
