"""Pictures small enough that thousands fit one file."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image

from alignrec.extractors.errors import ImageRejectedError
from alignrec.extractors.inputs.images import decode_image

# Longest sides in pixels, best first: a report takes the first with which all pictures fit.
SIDES = (192, 144, 96, 64)
QUALITY = 70

# What gives a picture's bytes when it is called.
Source = Callable[[], bytes]


def thumbnails(sources: Iterable[Source | None], budget: int) -> list[str]:
    """Base64 WebP pictures, all of one size.

    Args:
        sources: where each picture comes from; None where there is none.
        budget: characters that all may take together; the smallest size is used even if it goes beyond.

    Returns:
        For each source the picture, "" where there is none that can be decoded.
    """
    with ThreadPoolExecutor() as pool:
        every = list(pool.map(_every_size, sources))
    for number, side in enumerate(SIDES):
        total = sum(4 * len(sizes[number]) // 3 for sizes in every if sizes)
        if total <= budget or side == SIDES[-1]:
            break
    return [b64encode(sizes[number]).decode() if sizes else "" for sizes in every]


def _every_size(source: Source | None) -> list[bytes] | None:
    if source is None:
        return None
    try:
        picture = decode_image(source())
    except (ImageRejectedError, OSError):
        return None
    return [_encoded(picture, side) for side in SIDES]


def _encoded(picture: Image.Image, side: int) -> bytes:
    small, out = picture.copy(), BytesIO()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    small.save(out, "WEBP", quality=QUALITY, method=4)
    return out.getvalue()
