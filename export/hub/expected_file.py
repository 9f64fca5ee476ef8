"""The size and hash that a file must have, by the Hub or by a manifest."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

_CHUNK = 1 << 20


@dataclass(frozen=True)
class ExpectedFile:
    """The size and hash that a file is expected to have.

    Attributes:
        size: bytes.
        sha256: of the content; None where only git's id is known (small files on the Hub).
        git_oid: git's SHA-1 of `blob <size>\\0` and the content; used only where `sha256` is None.
    """

    size: int
    sha256: str | None
    git_oid: str | None = None

    def fits(self, path: Path) -> bool:
        """Whether the file at `path` has that size and hash; all of it is read."""
        if path.stat().st_size != self.size:
            return False
        digest = hashlib.sha256() if self.sha256 else hashlib.sha1(usedforsecurity=False)
        if not self.sha256:
            digest.update(b"blob %d\0" % self.size)
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
        return digest.hexdigest() == (self.sha256 or self.git_oid)
