"""What decoding accepts, rejects and gives, for every kind of file a catalogue may hold."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from alignrec.extractors.errors import ImageRejectedError
from alignrec.extractors.inputs.images import FORMATS, decode_image, picture_format


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def picture(width: int = 40, height: int = 30) -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(noise)


def png_header(width: int, height: int) -> bytes:
    body = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    header = struct.pack(">I", 13) + body + struct.pack(">I", zlib.crc32(body))
    return b"\x89PNG\r\n\x1a\n" + header + struct.pack(">I", 1000) + b"IDAT"


def reason(data: bytes, **limits: int) -> str:
    with pytest.raises(ImageRejectedError) as caught:
        decode_image(data, **limits)
    return caught.value.reason


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_lossless_formats_come_back_exactly(kind: str) -> None:
    decoded = decode_image(encoded(picture(), kind))
    assert decoded.mode == "RGB" and type(decoded) is Image.Image
    assert np.array_equal(np.asarray(decoded), np.asarray(picture()))


@pytest.mark.parametrize("kind", FORMATS)
def test_truncated_or_damaged_files_are_rejected(kind: str) -> None:
    data = encoded(picture(), kind)
    for cut in (len(data) // 2, len(data) * 2 // 3):
        assert reason(data[:cut]) == "truncated" or kind in ("TIFF", "GIF")
    for cut in range(1, len(data) // 2, 37):
        assert reason(data[:cut]) in ("truncated", "damaged", "not-an-image")


def test_what_is_no_picture() -> None:
    assert reason(b"") == "empty"
    assert reason(b"<html>not found</html>") == "not-an-image"
    assert reason(b"%!PS-Adobe-3.0 EPSF-3.0\n") == "not-an-image"
    assert reason(encoded(picture(), "PNG"), max_bytes=100) == "too-large"


def test_a_bomb_is_refused_from_its_header_without_a_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert reason(png_header(60_000, 60_000)) == "too-many-pixels"
        assert reason(png_header(11_000, 10_000)) == "too-many-pixels"
        assert reason(png_header(1, 5_000)) == "extreme-shape"
        assert reason(encoded(picture(), "PNG"), max_pixels=1199) == "too-many-pixels"
        assert decode_image(encoded(picture(), "PNG"), max_pixels=1200).size == (40, 30)


def test_cmyk_keeps_its_colours() -> None:
    for colour in ((200, 30, 40), (10, 200, 90), (0, 0, 0), (255, 255, 255)):
        flat = Image.new("RGB", (16, 16), colour)
        decoded = decode_image(encoded(flat.convert("CMYK"), "JPEG", quality=100))
        assert np.abs(np.asarray(decoded).astype(int) - colour).max() <= 4


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind: str) -> None:
    ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)[None, :].repeat(8, axis=0)
    grey = np.asarray(decode_image(encoded(Image.fromarray(ramp), kind)))
    assert grey.shape == (8, 256, 3)
    assert np.array_equal(grey[0, :, 0], np.arange(256))


def test_pixels_without_an_agreed_white_are_rejected() -> None:
    assert reason(encoded(Image.new("F", (8, 8), 0.5), "TIFF")) == "unsupported-mode"
    assert reason(encoded(Image.new("I", (8, 8), 70_000), "TIFF")) == "unsupported-mode"


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "TIFF"])
def test_the_first_frame_of_many(kind: str) -> None:
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert decode_image(data).getpixel((5, 5)) == (255, 0, 0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied(orientation: int) -> None:
    upright = Image.new("RGB", (32, 16), "white")
    upright.paste((255, 0, 0), (0, 0, 8, 8))
    back = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = upright.transpose(back[orientation]) if orientation in back else upright
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode_image(encoded(stored, "JPEG", quality=100, subsampling=0, exif=exif))
    assert decoded.size == (32, 16)
    assert decoded.getpixel((3, 3))[1] < 60 and decoded.getpixel((28, 12))[1] > 200


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P", "L", "1"])
def test_transparency_is_laid_over_white(mode: str) -> None:
    image = Image.new("RGBA", (8, 8), (0, 0, 0, 0))
    if mode in ("L", "1"):
        image = Image.new("RGBA", (8, 8), "white")
    data = encoded(image.convert("LA").convert(mode) if mode in ("LA", "PA") else image.convert(mode), "TIFF")
    if mode in ("RGBA", "LA", "L", "1"):
        assert decode_image(data).getpixel((4, 4)) == (255, 255, 255)
    palette = Image.new("P", (8, 8), 1)
    palette.putpalette([10, 20, 30, 40, 50, 60])
    assert decode_image(encoded(palette, "PNG")).getpixel((1, 1)) == (40, 50, 60)
    assert decode_image(encoded(palette, "PNG", transparency=1)).getpixel((1, 1)) == (255, 255, 255)


def test_half_transparent_is_half_white() -> None:
    half = Image.new("RGBA", (4, 4), (255, 0, 0, 128))
    assert decode_image(encoded(half, "PNG")).getpixel((0, 0)) == (255, 127, 127)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(FORMATS), st.data())
def test_broken_bytes_give_a_picture_or_a_reason(kind: str, data: st.DataObject) -> None:
    content = bytearray(encoded(picture(), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, min(len(content), 400) - 1))] = data.draw(st.integers(0, 255))
    try:
        assert decode_image(bytes(content)).mode == "RGB"
    except ImageRejectedError as error:
        assert error.reason and error.detail


def test_pillow_keeps_its_settings_and_threads_agree() -> None:
    before = (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))
    files = [encoded(picture(20 + index, 30), "PNG") for index in range(32)]
    with ThreadPoolExecutor(8) as pool:
        sizes = [image.size for image in pool.map(decode_image, files)]
    assert sizes == [(20 + index, 30) for index in range(32)]
    assert before == (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, list(warnings.filters))


def test_avif_is_read_upright_and_over_white() -> None:
    flat = Image.new("RGB", (32, 16), (200, 30, 40))
    decoded = decode_image(encoded(flat, "AVIF"))
    assert (decoded.mode, decoded.size) == ("RGB", (32, 16))
    assert np.abs(np.asarray(decoded).astype(int) - (200, 30, 40)).max() <= 6
    assert decode_image(encoded(Image.new("RGBA", (16, 16)), "AVIF")).getpixel((4, 4)) == (255, 255, 255)
    exif = Image.Exif()
    exif[0x0112] = 6
    assert decode_image(encoded(flat, "AVIF", exif=exif)).size == (16, 32)


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heix", "HEIC"),
        (b"\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x14ftypjxl ", "JPEG XL"),
        (b"\xff\x0a\xfa\x1f\x41\x91\x08\x06", "JPEG XL"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
        (b"8BPS\0\1", "Photoshop"),
        (b"%PDF-1.7\n", "PDF"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
    ],
)
def test_formats_that_are_not_read_have_a_reason_of_their_own(data: bytes, kind: str) -> None:
    assert picture_format(data) == kind
    with pytest.raises(
        ImageRejectedError, match=f"^unreadable-format: {kind} pictures are not read: convert"
    ):
        decode_image(data)


@pytest.mark.parametrize("kind", FORMATS)
def test_a_format_is_known_by_its_first_bytes(kind: str) -> None:
    assert picture_format(encoded(picture(), kind)[:48]) == kind
    assert picture_format(b"\0\0\0\x18ftypisom\0\0\0\0isommp42") is None
