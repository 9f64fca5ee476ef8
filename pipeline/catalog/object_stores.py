"""Pictures and sounds below a URL: on an object store, or any file system that pyarrow or fsspec reads.

pyarrow reads `s3://`, `gs://`, `abfs://` and `hdfs://` itself; for other schemes, fsspec says which package
reads them. Keys and addresses of a store come from where these libraries look, the environment first, and
from no config. https://arrow.apache.org/docs/python/filesystems.html
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from posixpath import normpath
from threading import Lock
from urllib.parse import urlsplit

from pyarrow.fs import FileSelector, FileSystem, FileType, FSSpecHandler, PyFileSystem

from alignrec.core.network import NotHereError, keeps_here
from alignrec.pipeline.errors import CatalogError

_OF_PYARROW = ("s3", "gs", "gcs", "abfs", "abfss", "hdfs", "viewfs")
# What is no matter of a store, and what to do instead.
_REFUSED = {
    "http": "pictures of the web are fetched by `alignrec download`, into a folder",
    "https": "pictures of the web are fetched by `alignrec download`, into a folder",
    "file": "write a folder of this machine as a path",
    "local": "write a folder of this machine as a path",
}


@dataclass(frozen=True)
class RemoteFile:
    """A file below a URL, as a listing showed it; it can be pickled.

    Attributes:
        root: the URL that it is below.
        name: its path from there.
        size: bytes.
        changed: nanoseconds since 1970; None where the store does not say.
    """

    root: str
    name: str
    size: int
    changed: int | None

    def __str__(self) -> str:
        """Its URL."""
        return f"{self.root}/{self.name}"

    def read(self, most: int) -> bytes:
        """Its bytes.

        Args:
            most: bytes that it may have.

        Raises:
            OSError: it is not there any more, may not be read, or is larger.
            CatalogError, NotHereError: see `RemoteFolder.find`.
        """
        system, base = _opened(self.root)
        with _reaching(self), system.open_input_file(f"{base}/{self.name}") as file:
            check_size(self, file.size(), most)
            data: bytes = file.read()
        return data


class RemoteFolder:
    """A folder at a URL; each folder in it is listed once, and not asked file by file."""

    def __init__(self, url: str) -> None:
        """Open nothing yet.

        Args:
            url: of the folder, as a config has it.
        """
        self.url = url.rstrip("/")
        self._listed: dict[str, dict[str, RemoteFile]] = {}
        self._lock = Lock()

    def __contains__(self, name: str) -> bool:
        """Whether a file of that name is there; raises `CatalogError` as `find`."""
        try:
            self.find(name)
        except OSError:
            return False
        return True

    def find(self, value: str) -> RemoteFile:
        """The file that a path from the folder, or a whole URL, names.

        Raises:
            OSError: there is none (ENOENT), or it leads out of the folder (EXDEV).
            CatalogError: there is no such folder, or its store does not answer.
            NotHereError: nothing may be fetched now.
        """
        name = value.removeprefix(f"{self.url}/")
        path = normpath(name)
        if "://" in name or path.startswith(("/", "../")) or path == "..":
            raise OSError(errno.EXDEV, f"it leads out of {self.url}", value)
        folder, _, last = path.rpartition("/")
        with self._lock:
            if folder not in self._listed:
                self._listed[folder] = self._list(folder)
        if last not in self._listed[folder]:
            raise FileNotFoundError(errno.ENOENT, f"there is no such file below {self.url}", value)
        return self._listed[folder][last]

    def _list(self, folder: str) -> dict[str, RemoteFile]:
        system, base = _opened(self.url)
        prefix = f"{folder}/" if folder else ""
        with _reaching(self.url):
            if not self._listed and system.get_file_info(base).type != FileType.Directory:
                raise CatalogError(f"catalog.items.image_root: there is no folder {self.url}.")
            found = system.get_file_info(FileSelector(f"{base}/{folder}".rstrip("/"), allow_not_found=True))
        return {
            one.base_name: RemoteFile(self.url, prefix + one.base_name, one.size, one.mtime_ns)
            for one in found
            if one.type == FileType.File
        }


def check_size(file: RemoteFile, size: int, most: int | None) -> None:
    """Raise OSError (EFBIG) for a file of more bytes than it may have."""
    if most is not None and size > most:
        raise OSError(errno.EFBIG, f"it has {size:,} bytes, more than {most:,}", str(file))


@cache
def _opened(url: str) -> tuple[FileSystem, str]:
    """The file system of a URL, and the folder's path in it.

    Raises:
        CatalogError: it is none that can be read.
    """
    scheme, parts = url.partition("://")[0], urlsplit(url)
    if scheme in _REFUSED:
        raise CatalogError(f"catalog.items.image_root: {scheme}:// is no store: {_REFUSED[scheme]}.")
    if parts.password is not None:
        raise CatalogError(
            "catalog.items.image_root: no password belongs in a URL: put keys into the environment, such as "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    try:
        system, path = FileSystem.from_uri(url) if scheme in _OF_PYARROW else _of_fsspec(url)
    except (ImportError, ValueError, OSError) as error:
        raise CatalogError(f"catalog.items.image_root: {url} cannot be opened: {error}") from None
    return system, path.rstrip("/")


def _of_fsspec(url: str) -> tuple[FileSystem, str]:
    from fsspec.core import url_to_fs

    system, path = url_to_fs(url)
    return PyFileSystem(FSSpecHandler(system)), path


@contextmanager
def _reaching(what: object) -> Iterator[None]:
    """Tell a file that cannot be read from a store that does not answer.

    Raises:
        OSError: there is no such file, or it may not be read.
        CatalogError: whatever else goes wrong.
        NotHereError: nothing may be fetched now.
    """
    if keeps_here():
        raise NotHereError(f"{what} lies elsewhere, and nothing is fetched now")
    try:
        yield
    except (FileNotFoundError, PermissionError, CatalogError):
        raise
    except Exception as error:  # each store has errors of its own
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            raise
        reason = " ".join(str(error).split())
        if "ACCESS_DENIED" in reason and isinstance(what, RemoteFile):
            raise PermissionError(errno.EACCES, "access denied", str(what)) from None
        raise CatalogError(f"{what} cannot be read ({reason}): look at the address and the keys") from None
