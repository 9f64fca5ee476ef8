"""Bytes to an upright RGB picture, or a reason why not."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import (  # each plugin registers its format when imported
    AvifImagePlugin,  # noqa: F401
    BmpImagePlugin,  # noqa: F401
    GifImagePlugin,  # noqa: F401
    Image,
    ImageOps,
    JpegImagePlugin,  # noqa: F401
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


def decode_image(data: bytes, *, max_pixels: int = MAX_PIXELS, max_bytes: int = MAX_BYTES) -> Image.Image:
    """Decode one picture by its content, whatever its file is called.

    The first frame of an animation or the first page of a TIFF; turned upright by its EXIF
    orientation; transparency laid over white; 16-bit grey scaled (not clipped) to 8 bits; CMYK
    converted. Safe to call from several threads; Pillow's global settings are left alone.

    Args:
        data: the file's bytes: JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF.
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
    try:
        image.load()
    except (*_CUT_SHORT, *_DAMAGE, MemoryError, Image.DecompressionBombError) as error:
        raise _damaged(data, image.format, error) from error
    return _rgb(_upright(image))


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
