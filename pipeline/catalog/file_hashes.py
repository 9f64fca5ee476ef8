"""SHA-256 of files, remembered as long as a file looks the same, so that a second look at it is quick."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alignrec.core.files import sha256_file, write_bytes
from alignrec.core.sealed import read_sealed_json, seal_json


class FileHashes:
    """Hashes of files by their path, trusted while size, modification time and inode are as they were.

    Attributes:
        seen: what was asked for: path to size, modification time in nanoseconds, inode and SHA-256.
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

    def sha256(self, path: Path) -> str:
        """The hex SHA-256 of a file's bytes."""
        stat = path.stat()
        name, stamp = str(path), [stat.st_size, stat.st_mtime_ns, stat.st_ino]
        entry = self._known.get(name)
        if entry is None or entry[:-1] != stamp:
            entry = [*stamp, sha256_file(path)]
        self._known[name] = self.seen[name] = entry
        return str(entry[-1])
