"""Where an item's picture is: below the image root, or in the table itself."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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
    try:
        path = (root / value).resolve()
        if not path.is_relative_to(root.resolve()):
            raise ImageRefError("outside-root", f"{value!r} leads outside the image root")
        if not path.is_file():
            raise ImageRefError("not-found", f"there is no file {value!r} below the image root")
    except OSError as error:
        raise ImageRefError("not-found", f"{value[:60]!r}: {error.strerror}") from None
    return ImageRef(path=path)


def is_url(value: str) -> bool:
    """Whether an image column's value is the URL of a picture."""
    return value.startswith(("http://", "https://"))


def downloaded_name(url: str) -> str:
    """The name of the file in which `alignrec download` keeps the picture at a URL."""
    return hashlib.sha256(url.encode()).hexdigest()[:40]


def _downloaded(url: str, root: Path) -> ImageRef:
    path = root / downloaded_name(url)
    if not path.is_file():
        raise ImageRefError(
            "not-downloaded", f"{url[:200]} is not in the image root; see `alignrec download`"
        )
    return ImageRef(path=path)
