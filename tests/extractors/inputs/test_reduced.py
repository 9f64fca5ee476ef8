"""Large JPEGs at a reduced scale: as the full picture is, only smaller; all others are untouched."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alignrec.extractors.errors import ImageRejectedError
from alignrec.extractors.inputs.images import MARGIN, MOST_STRETCH, decode_image, full_size, reduction
from alignrec.extractors.testing import sample_photograph

SIDE = 32
KEPT = int(MARGIN * SIDE)  # 88


def jpeg(width: int, height: int, **options: Any) -> bytes:
    """A smooth picture with a mode of its own, given as `mode`."""
    coarse = np.random.default_rng(5).integers(40, 216, (3, 4, 3), dtype=np.uint8)
    picture = Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    picture.convert(options.pop("mode", "RGB")).save(stream, "JPEG", quality=95, **options)
    return stream.getvalue()


def close(left: Image.Image, right: Image.Image) -> bool:
    """Whether two pictures of about one size show the same."""
    size = (16, 16)
    arrays = [np.asarray(one.resize(size, Image.Resampling.BOX)).astype(int) for one in (left, right)]
    return bool(np.abs(arrays[0] - arrays[1]).max() <= 3)


@pytest.mark.parametrize(
    ("shorter", "scale"),
    [(2 * KEPT - 1, 1), (2 * KEPT, 2), (4 * KEPT - 1, 2), (4 * KEPT, 4), (8 * KEPT, 8), (20 * KEPT, 8)],
)
def test_the_smallest_scale_that_keeps_enough(shorter: int, scale: int) -> None:
    data = jpeg(shorter + 64, shorter)
    picture = decode_image(data, SIDE)
    assert reduction(picture) == scale and full_size(picture) == (shorter + 64, shorter)
    assert (
        picture.size == (round((shorter + 64) / scale), round(shorter / scale)) and min(picture.size) >= KEPT
    )
    assert close(picture, decode_image(data))


@pytest.mark.parametrize(
    "options",
    [{"mode": "L"}, {"mode": "CMYK"}, {"progressive": True}, {"subsampling": 0}, {"subsampling": 2}],
    ids=str,
)
def test_every_kind_of_jpeg_is_reduced(options: dict[str, Any]) -> None:
    data = jpeg(5 * KEPT, 4 * KEPT, **options)
    picture = decode_image(data, SIDE)
    assert picture.mode == "RGB" and type(picture) is Image.Image and reduction(picture) == 4
    assert close(picture, decode_image(data))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_reduced_picture_is_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = jpeg(6 * KEPT, 4 * KEPT, exif=exif)
    picture, full = decode_image(data, SIDE), decode_image(data)
    assert reduction(picture) == 4 and full_size(picture) == full.size and close(picture, full)
    assert (picture.width > picture.height) == (orientation < 5)


def test_several_pictures_in_one_file_are_one() -> None:
    stream = io.BytesIO()
    pages = [decode_image(jpeg(5 * KEPT, 4 * KEPT)), Image.new("RGB", (60, 60))]
    pages[0].save(stream, "MPO", save_all=True, append_images=pages[1:])
    picture = decode_image(stream.getvalue(), SIDE)
    assert reduction(picture) == 4 and close(picture, pages[0])


@pytest.mark.parametrize(("width", "scale"), [(704, 8), (705, 8), (706, 8), (707, 4), (709, 4), (711, 8)])
def test_what_is_left_of_a_side_is_rounded_and_stretches_it_by_little(width: int, scale: int) -> None:
    picture = decode_image(jpeg(width, 8 * KEPT + 96), SIDE)
    assert reduction(picture) == scale and picture.width == round(width / scale)
    assert abs(picture.width * scale - width) / width * SIDE <= MOST_STRETCH


def test_a_picture_that_would_be_stretched_stays_whole() -> None:
    for width, scale in ((240, 2), (241, 1), (321, 2)):
        assert reduction(decode_image(jpeg(width, 240), SIDE)) == scale


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "TIFF", "BMP", "GIF"])
def test_other_formats_and_small_pictures_are_the_same_bytes(kind: str) -> None:
    stream = io.BytesIO()
    decode_image(jpeg(5 * KEPT, 4 * KEPT)).save(stream, kind)
    for data in (stream.getvalue(), jpeg(2 * KEPT - 1, 5 * KEPT)):
        picture, full = decode_image(data, SIDE), decode_image(data)
        assert picture.tobytes() == full.tobytes() and reduction(picture) == 1
        assert full_size(picture) == picture.size


def test_damage_is_found_as_in_full() -> None:
    data = sample_photograph(4 * KEPT, 1)
    assert reduction(decode_image(data, SIDE)) == 4
    for cut in (len(data) // 9, len(data) // 2, len(data) - 40):
        reasons = []
        for side in (0, SIDE):
            with pytest.raises(ImageRejectedError) as caught:
                decode_image(data[:cut], side)
            reasons.append(caught.value.reason)
        assert reasons == ["truncated", "truncated"]
    with pytest.raises(ImageRejectedError, match="more than the"):
        decode_image(data, SIDE, max_pixels=100)
