"""SHA-256 of files, remembered as long as a file looks the same, so that a second look at it is quick."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alignrec.core.files import open_regular, write_bytes
from alignrec.core.sealed import read_sealed_json, seal_json
from alignrec.pipeline.catalog.object_stores import RemoteFile, check_size


class FileHashes:
    """Hashes of files by their path, trusted while size, times of change and inode are as they were.

    Attributes:
        seen: what was asked for: path to size, when content and entry changed in nanoseconds, inode and
            SHA-256; of one below a URL, to size, when it changed, and SHA-256.
    """

    def __init__(self, known: Mapping[str, list[Any]] | None = None) -> None:
        """Start from what an earlier object had seen."""
        self._known = dict(known or {})
        self.seen: dict[str, list[Any]] = {}

    @classmethod
    def read(cls, path: Path) -> FileHashes:
        """Start from a file that `write` wrote; from nothing where there is none, or it is damaged."""
        return cls((read_sealed_json(path) or {}).get("files"))

    def write(self, path: Path) -> None:
        """Keep what was seen, whole or not at all."""
        if self.seen:
            write_bytes(path, seal_json({"files": self.seen}))

    def sha256(self, path: Path | RemoteFile, most: int | None = None) -> str:
        """The hex SHA-256 of a file's bytes.

        Args:
            path: a regular file.
            most: bytes that it may have.

        Raises:
            OSError, CatalogError: see `open_regular` and `RemoteFile.read`.
        """
        if isinstance(path, RemoteFile):
            return self._remote(path, most)
        with open_regular(path, most) as file:
            found = os.fstat(file.fileno())
            stamp = [found.st_size, found.st_mtime_ns, found.st_ctime_ns, found.st_ino]
            name, entry = str(path), self._known.get(str(path))
            if entry is None or entry[:-1] != stamp:
                entry = [*stamp, hashlib.file_digest(file, "sha256").hexdigest()]
        self._known[name] = self.seen[name] = entry
        return str(entry[-1])

    def _remote(self, file: RemoteFile, most: int | None) -> str:
        """The same of a file below a URL; what an earlier object saw counts if the store tells times."""
        name, stamp = str(file), [file.size, file.changed]
        entry = (self.seen if file.changed is None else self._known).get(name)
        if entry is None or entry[:-1] != stamp:
            check_size(file, file.size, most)
            data = file.read(file.size if most is None else most)
            entry = [*stamp, hashlib.sha256(data).hexdigest()]
        self._known[name] = self.seen[name] = entry
        return str(entry[-1])
