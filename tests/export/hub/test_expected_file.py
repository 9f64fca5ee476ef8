"""A file is what is expected by its size and its hash, of either kind."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from alignrec.export.hub.expected_file import ExpectedFile

CONTENT = b"some content"
SHA256 = hashlib.sha256(CONTENT).hexdigest()
GIT = hashlib.sha1(b"blob 12\0" + CONTENT, usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("expected", "fits"),
    [
        (ExpectedFile(12, SHA256), True),
        (ExpectedFile(12, None, GIT), True),
        (ExpectedFile(12, SHA256, "0" * 40), True),  # git's own counts only where there is no other
        (ExpectedFile(12, "0" * 64, GIT), False),
        (ExpectedFile(12, None, "0" * 40), False),
        (ExpectedFile(13, SHA256), False),
    ],
)
def test_size_and_hash_decide(tmp_path: Path, expected: ExpectedFile, fits: bool) -> None:
    (tmp_path / "x").write_bytes(CONTENT)
    assert expected.fits(tmp_path / "x") is fits
