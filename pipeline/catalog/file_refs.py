"""Where an item's picture or sound is: below the image root, here or at a URL, or in the table itself."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignrec.core.display import shown
from alignrec.core.files import open_regular
from alignrec.extractors.inputs.images import MAX_BYTES
from alignrec.extractors.modality import IMAGE, Kind
from alignrec.pipeline.catalog.file_cells import FileRefError, Root, files_in, is_url
from alignrec.pipeline.catalog.object_stores import RemoteFile, RemoteFolder

MOST_PREFIX = 4  # characters of a file's name that a folder may be called after
# Why a file cannot be read, for counting; what is not here is `unreadable`.
_REASONS = {
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG), "not-found"),
    **dict.fromkeys((errno.EISDIR, errno.EINVAL, errno.ENXIO), "not-a-file"),
    errno.ELOOP: "link-loop",
    errno.EXDEV: "outside-root",
    errno.EFBIG: "too-large",
}


@dataclass(frozen=True)
class FileRef:
    """Where an item's picture or sound is.

    Attributes:
        path: the file, here or below a URL, or None for one embedded in the table.
        embedded: the bytes, for one embedded in the table; never kept beyond its row.
        row: in place of a file, the row of a feature matrix that somebody else made of it.
    """

    path: Path | RemoteFile | None = None
    embedded: bytes | None = None
    row: int | None = None


class OutsideRootError(FileRefError):
    """A path or a link leads out of the image root; `target` is the file that it leads to."""

    def __init__(self, detail: str, target: Path) -> None:
        """Keep where it leads beside the sentence."""
        super().__init__("outside-root", detail)
        self.target = target


def first_file(cell: Any, root: Root, linked: Sequence[Path] = (), kind: Kind = IMAGE) -> FileRef | None:
    """The first picture, or sound, that a cell of its column names or holds; None where it names none.

    Args:
        cell: what `files_in` reads: paths relative to `root` (or absolute, inside it), URLs of pictures
            that `alignrec download` fetched, bytes, base64, `{"row"}` for a row of given features.
        root: the folder that no path may leave, links followed; at a URL, names must be whole.
        linked: folders outside of it that paths and links may lead into all the same.
        kind: of the content.

    Raises:
        FileRefError: a path that leaves the root or leads nowhere, or a value of another kind.
    """
    files = files_in(cell, root, kind)
    return find_file(files[0], root, linked, kind) if files else None


def find_file(file: Any, root: Root, linked: Sequence[Path] = (), kind: Kind = IMAGE) -> FileRef:
    """Where one of those is that `files_in` or `each_file` found in a cell; see `first_file`.

    Raises:
        FileRefError: see there; or the error itself, in the place of a file.
    """
    if isinstance(file, FileRefError):
        raise file
    if isinstance(file, bytes):
        return FileRef(embedded=file)
    if isinstance(file, Mapping) and isinstance(file.get("row"), int):
        return FileRef(row=file["row"])
    if not isinstance(file, str) or "\0" in file:
        raise FileRefError(
            "not-a-path",
            f"expected a path, a URL or a {kind.noun}, got {type(file).__name__} {shown(file)}",
        )
    if isinstance(root, RemoteFolder):
        return FileRef(_below_url(root, file))
    if is_url(file):
        return FileRef(_downloaded(file, root))
    return FileRef(_below(root, file, linked, kind.endings))


def read_file(path: Path | RemoteFile) -> bytes:
    """The bytes of a picture's or sound's file.

    Raises:
        OSError: it cannot be read, is no regular file, or is larger than any that is decoded.
        CatalogError: the store that it is in does not answer.
    """
    if isinstance(path, RemoteFile):
        return path.read(MAX_BYTES)
    with open_regular(path, MAX_BYTES) as file:
        return file.read(MAX_BYTES + 1)


def file_error(error: OSError, value: str) -> FileRefError:
    """Why the file that a value names cannot be read."""
    reason = _REASONS.get(error.errno or 0, "unreadable")
    return FileRefError(reason, f"{shown(value)}: {error.strerror or error}")


def downloaded_name(url: str) -> str:
    """The name of the file in which `alignrec download` keeps what is at a URL."""
    return hashlib.sha256(url.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _below_url(root: RemoteFolder, value: str) -> RemoteFile:
    try:
        return root.find(value)
    except OSError as error:
        raise file_error(error, value) from None


def _below(root: Path, value: str, linked: Sequence[Path], endings: Sequence[str]) -> Path:
    """The file that a path names, in the root or, by a link or in full, in a folder that may be linked to."""
    try:
        value.encode()
        path = Path(os.path.realpath(_with_ending(root / value, endings)))
        if not any(path.is_relative_to(folder.resolve()) for folder in (root, *linked)):
            raise _outside(root, value, path)
        regular = stat.S_ISREG(path.stat().st_mode)
    except UnicodeEncodeError:  # half a surrogate pair, which JSON can spell
        raise FileRefError("not-a-path", f"{shown(value)} is no text that UTF-8 can hold") from None
    except OSError as error:
        raise file_error(error, value) from None
    if not regular:
        raise FileRefError("not-a-file", f"{shown(value)} is a folder, a pipe or a device, no file")
    return path


def _with_ending(path: Path, endings: Sequence[str]) -> Path:
    """The file of that name, whose ending and whose folder may be left out.

    `0001` is `0001.jpg` where that is there, or else `00/0001.jpg`: many pictures lie in folders that are
    called after the first characters of their names.
    """
    if path.is_file() or not path.name:
        return path
    shards = (path.parent / path.name[:length] for length in range(1, MOST_PREFIX + 1))
    folders = (path.parent, *(folder for folder in shards if folder.is_dir()))
    names = [path.name + ending for ending in ("", *endings, *map(str.upper, endings))]
    found = (folder / name for folder in folders for name in names)
    return next((one for one in found if one.is_file()), path)


def _outside(root: Path, value: str, path: Path) -> OutsideRootError:
    # What it names before any link is followed.
    named = Path(os.path.normpath(Path.cwd() / root / value))
    allow = "to read it, name its folder in catalog.items.linked_folders (of encode and extend: --image-root)"
    if named.is_relative_to(os.path.normpath(Path.cwd() / root)):
        return OutsideRootError(
            f"{shown(value)} is a symbolic link out of the image root, to {path}: {allow}", path
        )
    return OutsideRootError(f"{shown(value)} leads outside the image root: {allow}", path)


def _downloaded(url: str, root: Path) -> Path:
    path = root / downloaded_name(url)
    if not path.is_file():
        raise FileRefError(
            "not-downloaded", f"{shown(url)} is not in the image root; see `alignrec download`"
        )
    return path
