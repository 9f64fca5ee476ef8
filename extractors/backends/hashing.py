"""Hashes of weights: what a release records, and what the packaged models are pinned by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from alignrec.core.files import sha256_file
from alignrec.extractors.errors import WeightsMismatchError


def weights_sha256(folder: Path, files: Iterable[Path]) -> str:
    """One hash for a model's weights.

    For one file its own SHA-256; for several, the SHA-256 of the lines `<name> <sha256>` sorted by
    name, names relative to the folder with forward slashes.
    """
    hashes = sorted((path.relative_to(folder).as_posix(), sha256_file(path)) for path in files)
    if len(hashes) == 1:
        return hashes[0][1]
    lines = "".join(f"{name} {digest}\n" for name, digest in hashes)
    return hashlib.sha256(lines.encode()).hexdigest()


def check_pinned(path: Path, expected: str, name: str) -> None:
    """Refuse weights other than the pinned ones.

    Raises:
        WeightsMismatchError: the file's SHA-256 is another.
    """
    found = sha256_file(path)
    if found != expected:
        raise WeightsMismatchError(
            f"the weights of {name} are not the ones this version was tested with: {path} has SHA-256 "
            f"{found}, expected {expected}; reinstall the package that holds them"
        )
