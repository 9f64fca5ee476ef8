"""What a caller holds in memory, as a model reads it."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alignrec.extractors.inputs.audio import Sound, decode_audio
from alignrec.extractors.inputs.images import decode_image
from alignrec.extractors.inputs.pair import Pair
from alignrec.pipeline.commands.given_items import given_pair, given_pictures, given_sounds, given_texts
from alignrec.pipeline.errors import CatalogError
from tests.pipeline.catalogues import sound

TEMPLATE = ["{title} ({year}). {genres}"]


def encoded(image: Image.Image, form: str = "PNG", **more: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **more)
    return file.getvalue()


def drawing(mode: str = "RGB") -> Image.Image:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "I;16"])
def test_a_picture_is_the_same_in_every_form(tmp_path: Path, mode: str) -> None:
    image = drawing("RGB" if mode == "I;16" else mode)
    if mode == "I;16":
        image = Image.fromarray(np.arange(24, dtype=np.uint16).reshape(6, 4) * 2000)
    data = encoded(image, "TIFF" if mode == "CMYK" else "PNG")
    file = tmp_path / "a.png"
    file.write_bytes(data)
    expected = np.asarray(decode_image(data))
    for form in (image, Image.open(io.BytesIO(data)), data, bytearray(data), file, str(file), [data]):
        (found,) = given_pictures(form, 1, "image of item 0")  # type: ignore[arg-type]
        assert found.mode == "RGB"
        np.testing.assert_array_equal(np.asarray(found), expected)


def test_a_picture_is_turned_upright_as_its_file_would_be() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    data = encoded(drawing(), exif=exif)
    (found,) = given_pictures(Image.open(io.BytesIO(data)), 1, "image of item 0")
    assert found.size == (6, 4)
    np.testing.assert_array_equal(np.asarray(found), np.asarray(decode_image(data)))


def test_none_is_no_picture_and_several_are_several() -> None:
    assert given_pictures(None, 1, "x") == [] == given_pictures([], 1, "x")
    assert len(given_pictures([drawing(), encoded(drawing())], 2, "x")) == 2
    with pytest.raises(CatalogError, match="x: 2 pictures; the release reads 1 of an item"):
        given_pictures([drawing(), drawing()], 1, "x")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "x cannot be used: empty"),
        (b"GIF89a", "x cannot be used: damaged"),
        (Image.new("RGB", (2000, 1)), "x cannot be used: extreme-shape"),
        (Image.new("F", (2, 2)), "x cannot be used: unsupported-mode"),
        ("no/such.png", "x cannot be used: .*no/such.png"),
        (Path(), "x cannot be used"),
        (
            "https://example.org/a.png",
            "x is a URL, 'https://example.org/a.png': fetch it, and give its bytes",
        ),
        (7, "x is a int: expected a PIL image, the bytes of a file or its path"),
    ],
)
def test_what_is_no_picture_is_named(value: Any, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        given_pictures(value, 1, "x")


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CatalogError, match="cannot be used"):
        given_pictures(tmp_path / "pipe", 1, "x")


def test_a_text_is_clean_and_columns_go_through_the_template() -> None:
    assert given_texts("  A  chair ", TEMPLATE, "x") == ["A chair"]
    row = {"title": "Heat", "year": 1995, "genres": ["Crime", "Drama"], "price": object()}
    assert given_texts(row, TEMPLATE, "x") == ["Heat (1995). Crime, Drama"]
    assert given_texts(row, ["{title}", "{year}"], "x") == ["Heat", "1995"]
    assert given_texts(["Heat", "old"], ["{title}", "{year}"], "x") == ["Heat", "old"]
    for nothing in (None, "", " \u200b", {"title": None}, []):
        assert given_texts(nothing, TEMPLATE, "x") == []  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, "x is a int: expected text, or columns by name"),
        (b"Heat", "x is a bytes: expected text"),
        (["a", "b"], "x: 2 texts; the release reads 1 of an item"),
        ({"name": "Heat"}, "x has none of the columns that make the release's texts: title, year, genres"),
        ({"title": {"en": "Heat"}}, "x cannot be used: not-text"),
    ],
)
def test_what_is_no_text_is_named(value: Any, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        given_texts(value, TEMPLATE, "x")


def test_a_sound_is_the_same_in_every_form(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(sound(3))
    decoded = decode_audio(sound(3))
    forms = [sound(3), tmp_path / "a.mp3", str(tmp_path / "a.mp3"), decoded]
    for form in forms:
        [found] = given_sounds(form, 1, "it")
        assert found.rate == decoded.rate
        np.testing.assert_array_equal(found.samples, decoded.samples)
    assert len(given_sounds(forms, 4, "it")) == 4 and given_sounds(None, 1, "it") == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (7, "it is a int: expected a Sound, the bytes of a file or its path"),
        ("https://x.example/a.mp3", "it is a URL"),
        (b"a text", "it cannot be used: not-audio"),
        (Sound(np.zeros(9_000, np.float32), 8_000), "it cannot be used: silent"),
        (Sound(np.ones((9_000, 2), np.float32), 8_000), "are not mono"),
        (Sound(np.ones(9_000, np.float32), 1), "no rate of a sound"),
        (Sound(np.ones(9, np.float32), 8_000), "too-short"),
        ([sound(1)] * 3, "it: 3 sounds; the release reads 2 of an item"),
        ("absent.mp3", "No such file"),
    ],
)
def test_what_is_no_sound_is_named(value: Any, message: str) -> None:
    with pytest.raises(CatalogError) as caught:
        given_sounds(value, 2, "it")
    assert message in str(caught.value)


def test_a_pair_is_a_picture_and_a_text_or_one_of_them() -> None:
    picture = drawing()
    columns = {"title": "Red", "year": 1994, "genres": None}
    for value in ((picture, columns), [encoded(picture), "Red (1994)"], Pair(picture, "Red (1994)")):
        [pair] = given_pair(value, TEMPLATE, "here")
        assert pair.text == "Red (1994)" and pair.picture is not None
        assert np.array_equal(np.asarray(pair.picture), np.asarray(picture))
    [seen], [read] = given_pair((picture, " "), TEMPLATE, "here"), given_pair((None, "Red"), TEMPLATE, "here")
    assert (seen.text, read.picture, read.text) == (None, None, "Red")
    assert given_pair(None, TEMPLATE, "here") == given_pair((None, None), TEMPLATE, "here") == []
    for wrong in ("Red", picture, (picture, "Red", "more")):
        with pytest.raises(CatalogError, match=r"^here: expected a picture and a text, \(PICTURE, TEXT\)"):
            given_pair(wrong, TEMPLATE, "here")
