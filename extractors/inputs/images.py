"""Bytes to an upright RGB picture, or a reason why not."""

from __future__ import annotations

import io
import math
import struct

import numpy as np
from PIL import (  # each plugin registers its format when imported
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,
    PngImagePlugin,  # noqa: F401
    TiffImagePlugin,  # noqa: F401
    WebPImagePlugin,  # noqa: F401
)

from alignrec.extractors.errors import ImageRejectedError

MAX_BYTES = 100 * 2**20
MAX_PIXELS = 64 * 10**6
# Beyond this, resizing the shorter side to a model's input makes the longer one enormous.
MAX_ASPECT = 100
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF")

# How pictures become pixels, as identities have it: `reduced-1` is `full` but for large JPEGs, of which only
# so many pixels are computed as serve a model (see `decode_image`). Its number counts up when bytes change.
FULL, REDUCED = "full", "reduced-1"
# A reduced picture keeps so many times the side that a model resizes it to. Measured by EfficientNet-Lite0, a
# sensitive one, on drawn photographs: cosine errors of up to 2e-3 at 2, 1e-3 at 2.5, 8e-4 at 2.9.
MARGIN = 2.75
# A reduced picture has whole pixels, and so its content is stretched where a side is no multiple of the
# scale: by at most so much of a pixel of the model's. By 0.17, the cosine error was up to 2e-3.
MOST_STRETCH = 0.1
_SCALES = (8, 4, 2)
_REDUCED_BY = "reduced by"  # of a picture's `info`

# By which formats that are not read are known.
_AVIF_BRANDS = {b"avif", b"avis"}
_HEIC_BRANDS = {b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"}
_OTHERS = {
    "JPEG XL": (b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"),
    "JPEG 2000": (b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"),
    "Photoshop": (b"8BPS",),
    "PDF": (b"%PDF-",),
}

# Pillow reports damage by whatever its parsers ran into.
_DAMAGE = (
    *(OSError, SyntaxError, ValueError, TypeError, KeyError, IndexError, OverflowError, AttributeError),
    RuntimeError,
)
_CUT_SHORT = (EOFError, struct.error)
_SIXTEEN_BIT = ("I;16", "I;16B", "I;16L", "I;16N")


def decode_image(
    data: bytes, side: int = 0, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES
) -> Image.Image:
    """Decode one picture by its content, whatever its file is called.

    The first frame of an animation or the first page of a TIFF; turned upright by its EXIF
    orientation; transparency laid over white; 16-bit grey scaled (not clipped) to 8 bits; CMYK
    converted. Safe to call from several threads; Pillow's global settings are left alone.

    With a `side`, a large JPEG is computed at a half, a quarter or an eighth of its size, whichever is the
    smallest that keeps `MARGIN` times `side` and does not stretch it by more than `MOST_STRETCH`: each pixel
    the mean of a square of the full picture's, by libjpeg's scaled cosine transform. `full_size` and
    `reduction` tell of it. All other pictures are the same as without.

    Args:
        data: the file's bytes: JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.
        side: pixels that the picture's shorter side is going to be resized to; 0 for a full picture.
        max_pixels: width x height allowed, read from the header before anything is decoded.
        max_bytes: size of the file allowed.

    Returns:
        An RGB image, fully loaded.

    Raises:
        ImageRejectedError: its reason is `empty`, `too-large`, `not-an-image`, `unreadable-format`,
            `too-many-pixels`, `extreme-shape`, `truncated`, `damaged` or `unsupported-mode`.
    """
    if not data:
        raise ImageRejectedError("empty", "the file has no content")
    if len(data) > max_bytes:
        raise ImageRejectedError("too-large", f"the file has {len(data):,} bytes, more than {max_bytes:,}")
    image = _open(data)
    _check_size(image, max_pixels)
    size, scale = image.size, _scale_for(image, side)
    try:
        if scale > 1:
            image = _reduced(image, scale)
        image.load()
    except (*_CUT_SHORT, *_DAMAGE, MemoryError, Image.DecompressionBombError) as error:
        raise _damaged(data, image.format, error) from error
    decoded = _rgb(_upright(image))
    if scale > 1:
        turned = decoded.size != image.size
        decoded.info[_REDUCED_BY] = scale, size[::-1] if turned else size
    return decoded


def full_size(image: Image.Image) -> tuple[int, int]:
    """Width and height of a picture before `decode_image` reduced it."""
    size: tuple[int, int] = image.info.get(_REDUCED_BY, (1, image.size))[1]
    return size


def reduction(image: Image.Image) -> int:
    """How many pixels of the full picture, along each side, are one of what `decode_image` gave: 1 to 8."""
    scale: int = image.info.get(_REDUCED_BY, (1, image.size))[0]
    return scale


def _scale_for(image: Image.Image, side: int) -> int:
    """By how much a picture can be reduced; 1 for not at all."""
    if not side or not isinstance(image, JpegImagePlugin.JpegImageFile):
        return 1
    kept = math.ceil(MARGIN * side)

    def fits(scale: int) -> bool:
        off = (abs(length - scale * _nearest(length, scale)) / length for length in image.size)
        return min(image.size) >= scale * kept and max(off) * side <= MOST_STRETCH

    return next((scale for scale in _SCALES if fits(scale)), 1)


def _nearest(length: int, scale: int) -> int:
    """A part of a length, to the nearest pixel."""
    return (length + scale // 2) // scale


def _reduced(image: Image.Image, scale: int) -> Image.Image:
    """A JPEG that is not loaded yet, at a part of its size.

    libjpeg rounds sizes up, and the last pixel of a side may be of hardly anything: it is left out if less
    than half of it is there.
    """
    width, height = image.size
    image.draft(None, (width // scale, height // scale))
    nearest = _nearest(width, scale), _nearest(height, scale)
    return image if image.size == nearest else image.crop((0, 0, *nearest))


def opened_image(image: Image.Image, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """A picture that somebody opened or drew, as `decode_image` gives one of the same file.

    Args:
        image: of any mode; it is loaded, and otherwise left alone.
        max_pixels: width x height allowed.

    Returns:
        An RGB image, fully loaded.

    Raises:
        ImageRejectedError: its reason is `too-many-pixels`, `extreme-shape`, `damaged` or `unsupported-mode`.
    """
    _check_size(image, max_pixels)
    try:
        image.load()
    except (*_CUT_SHORT, *_DAMAGE, MemoryError, Image.DecompressionBombError) as error:
        raise ImageRejectedError("damaged", f"the picture cannot be decoded ({error})") from error
    return _rgb(_upright(image))


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width * height == 0:
        raise ImageRejectedError("empty", f"{width} x {height} pixels are none")
    if width * height > max_pixels:
        raise ImageRejectedError(
            "too-many-pixels", f"{width} x {height} pixels are more than the {max_pixels:,} allowed"
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise ImageRejectedError(
            "extreme-shape", f"{width} x {height} pixels: one side is over {MAX_ASPECT} times the other"
        )


def picture_format(data: bytes) -> str | None:
    """The format that a file's first bytes show, whether it is decoded here or not; None for no picture."""
    other = _other_format(data)
    if other is not None:
        return other
    return next((name for name in FORMATS if _accepts(name, data)), None)


def _open(data: bytes) -> Image.Image:
    """Read the header with the one parser whose signature matches.

    `Image.open` would do, but it warns of large images through a process-wide filter before their
    size can be checked.
    """
    name = picture_format(data)
    if name is None:
        raise ImageRejectedError("not-an-image", f"the content is none of {', '.join(FORMATS)}")
    if not _accepts(name, data):
        raise ImageRejectedError(
            "unreadable-format", f"{name} pictures are not read: convert them to JPEG, PNG or WebP"
        )
    try:
        return Image.OPEN[name][0](io.BytesIO(data), "")
    except (*_CUT_SHORT, *_DAMAGE, Image.DecompressionBombError) as error:
        raise _damaged(data, name, error) from error


def _accepts(name: str, data: bytes) -> bool:
    accept = Image.OPEN[name][1] if name in FORMATS else None
    return accept is not None and accept(data[:16]) is True


def _other_format(data: bytes) -> str | None:
    """A picture's format that is not read here (AVIF is, if Pillow has its library), by its first bytes."""
    if data[4:8] == b"ftyp":  # ISO/IEC 14496-12: a major brand, a version, compatible brands
        length = int.from_bytes(data[:4])
        brands = {data[8:12], *(data[start : start + 4] for start in range(16, min(length, 256), 4))}
        if brands & _AVIF_BRANDS:
            return "AVIF"
        return "HEIC" if brands & _HEIC_BRANDS else None
    for name, beginnings in _OTHERS.items():
        if data.startswith(beginnings):
            return name
    beginning = data[:1024].lstrip(b"\xef\xbb\xbf \r\n\t")
    return "SVG" if beginning.startswith((b"<svg", b"<?xml")) and b"<svg" in beginning else None


def _damaged(data: bytes, name: str | None, error: BaseException) -> ImageRejectedError:
    """Tell a file that was cut short from one that is broken otherwise."""
    short = isinstance(error, _CUT_SHORT) or "truncated" in str(error).lower()
    if name == "AVIF":
        short = short or _boxes_end(data) > len(data)
    if name == "WEBP":
        short = short or int.from_bytes(data[4:8], "little") + 8 > len(data)
    kind = name or "picture"
    if short:
        return ImageRejectedError("truncated", f"the {kind} file ends too early ({error})")
    return ImageRejectedError("damaged", f"the {kind} file cannot be decoded ({error})")


def _boxes_end(data: bytes) -> int:
    """Where the last box of an ISO base media file says that it ends."""
    end = 0
    while 0 <= end <= len(data) - 8:
        size = int.from_bytes(data[end : end + 4])
        if size < 8:  # to the end of the file, or longer than any picture
            return len(data)
        end += size
    return end if end >= len(data) else len(data) + 1  # half a box's head


def _upright(image: Image.Image) -> Image.Image:
    """Turned as its EXIF orientation says; broken EXIF is no reason to lose a good picture."""
    try:
        return ImageOps.exif_transpose(image)
    except (*_CUT_SHORT, *_DAMAGE):
        return image


def _rgb(image: Image.Image) -> Image.Image:
    """Eight bits, three channels, no transparency."""
    if image.mode == "RGB" and "transparency" not in image.info:
        return image if type(image) is Image.Image else image.copy()
    if image.mode in (*_SIXTEEN_BIT, "I"):
        return _from_sixteen_bit(image)
    if image.mode == "F":
        raise ImageRejectedError("unsupported-mode", "floating-point pixels have no agreed white")
    try:
        if image.has_transparency_data:
            image = image.convert("RGBA")
            white = Image.new("RGBA", image.size, "white")
            image = Image.alpha_composite(white, image)
        return image.convert("RGB")
    except _DAMAGE as error:
        raise ImageRejectedError("unsupported-mode", f"{image.mode} pixels: {error}") from error


def _from_sixteen_bit(image: Image.Image) -> Image.Image:
    """Grey of 16 bits to 8: 65535 becomes 255."""
    grey = np.asarray(image).astype(np.int64)
    if grey.min() < 0 or grey.max() > 0xFFFF:
        raise ImageRejectedError("unsupported-mode", "32-bit integer pixels have no agreed white")
    return Image.fromarray(((grey * 255 + 0x7FFF) // 0xFFFF).astype(np.uint8)).convert("RGB")
