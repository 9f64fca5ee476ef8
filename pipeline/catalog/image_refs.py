"""Where an item's picture is: below the image root, or in the table itself."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignrec.core.files import open_regular
from alignrec.extractors.inputs.images import MAX_BYTES
from alignrec.pipeline.catalog.sources.folder import PICTURES

# Why a file cannot be read, for counting; what is not here is `unreadable`.
_REASONS = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG), "not-found"),
    **dict.fromkeys((errno.EISDIR, errno.EINVAL, errno.ENXIO), "not-a-file"),
    errno.ELOOP: "link-loop",
    errno.EFBIG: "too-large",
}


class ImageRefError(ValueError):
    """A picture that cannot be referred to; `reason` is a slug for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the slug beside the sentence."""
        super().__init__(detail)
        self.reason = reason


@dataclass(frozen=True)
class ImageRef:
    """Where an item's picture is.

    Attributes:
        path: the file, or None for one embedded in the table.
        embedded: the bytes, for one embedded in the table; never kept beyond its row.
        row: in place of a picture, the row of a feature matrix that somebody else made of it.
    """

    path: Path | None = None
    embedded: bytes | None = None
    row: int | None = None


def find_image(value: Any, root: Path) -> ImageRef | None:
    """What an image column's value refers to; None where it is empty.

    Args:
        value: a path relative to `root` (or absolute, inside it), bytes, `{"bytes", "path"}` as
            Hugging Face datasets store images, `{"row"}` for a row of given features, or the URL of a picture
            that `alignrec download` fetched.
        root: the folder that no path may leave, links followed.

    Raises:
        ImageRefError: a path that leaves the root or leads nowhere, or a value of another kind.
    """
    if isinstance(value, Mapping):
        if isinstance(value.get("row"), int):
            return ImageRef(row=value["row"])
        embedded, value = value.get("bytes"), value.get("path")
        if embedded is not None:
            value = embedded
    if isinstance(value, bytes):
        return ImageRef(embedded=value)
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, str) and is_url(value):
        return _downloaded(value, root)
    if not isinstance(value, str) or "\0" in value:
        raise ImageRefError(
            "not-a-path", f"expected a path or bytes, got {type(value).__name__} {value!r:.60}"
        )
    return ImageRef(path=_below(root, value))


def read_image(path: Path) -> bytes:
    """The bytes of a picture's file.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger than any picture that is decoded.
    """
    with open_regular(path, MAX_BYTES) as file:
        return file.read(MAX_BYTES + 1)


def file_error(error: OSError, value: str) -> ImageRefError:
    """Why the file that a value names cannot be read."""
    reason = _REASONS.get(error.errno or 0, "unreadable")
    return ImageRefError(reason, f"{value[:200]!r}: {error.strerror or error}")


def is_url(value: str) -> bool:
    """Whether an image column's value is the URL of a picture."""
    return value.startswith(("http://", "https://"))


def downloaded_name(url: str) -> str:
    """The name of the file in which `alignrec download` keeps the picture at a URL."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _below(root: Path, value: str) -> Path:
    """The file that a path names; no link in it may lead out of the root."""
    try:
        value.encode()
        path = Path(os.path.realpath(_with_ending(root / value)))
        if not path.is_relative_to(root.resolve()):
            raise ImageRefError("outside-root", f"{value!r} leads outside the image root")
        regular = stat.S_ISREG(path.stat().st_mode)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell
        raise ImageRefError("not-a-path", f"{value[:60]!a} is no text that UTF-8 can hold") from None
    except OSError as error:
        raise file_error(error, value) from None
    if not regular:
        raise ImageRefError("not-a-file", f"{value[:200]!r} is a folder, a pipe or a device, no file")
    return path


def _with_ending(path: Path) -> Path:
    """The file of that name, whose ending may be left out: `0001` is `0001.jpg` where that is there."""
    if path.is_file() or not path.name:
        return path
    endings = (*PICTURES, *map(str.upper, PICTURES))
    return next((one for ending in endings if (one := path.with_name(path.name + ending)).is_file()), path)


def _downloaded(url: str, root: Path) -> ImageRef:
    path = root / downloaded_name(url)
    if not path.is_file():
        raise ImageRefError(
            "not-downloaded", f"{url[:200]} is not in the image root; see `alignrec download`"
        )
    return ImageRef(path=path)
