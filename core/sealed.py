"""Files that carry the SHA-256 of their own content, so that whoever reads one sees that it is damaged.

Two forms: a file of any content that ends in its seal (the content's length and hash), and a JSON object that
holds under `sha256` the hash of all the rest.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import time_ns
from typing import Any, TypeVar

from alignrec.core.files import replacing, sha256_file

_SEAL = "\nsealed {length:016x} {sha256}\n"
_SEAL_BYTES = len(_SEAL.format(length=0, sha256="0" * 64))
_PIECE = 1 << 20
# File times move in steps: a file that changed so lately may change once more and look the same.
_STEP_NS = 10**9

T = TypeVar("T")


@contextmanager
def sealing(path: Path) -> Iterator[Path]:
    """As `replacing`; what the block writes to the temporary path gets its seal before it takes the name."""
    with replacing(path) as temporary:
        yield temporary
        seal = _SEAL.format(length=temporary.stat().st_size, sha256=sha256_file(temporary))
        with temporary.open("ab") as file:
            file.write(seal.encode())


def sealed_content(path: Path) -> memoryview:
    """A sealed file without its seal, mapped into memory and compared with nothing.

    Raises:
        OSError: it cannot be read.
        ValueError: it is too short for a seal.
    """
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size < _SEAL_BYTES:
            raise ValueError(f"{path} has no seal")
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))[:-_SEAL_BYTES]


def read_sealed(path: Path) -> memoryview | None:
    """The content of a sealed file, mapped into memory; None where there is none, or it is damaged."""
    try:
        content = sealed_content(path)
    except (OSError, ValueError):
        return None
    seal = _SEAL.format(length=len(content), sha256=hashlib.sha256(content).hexdigest())
    return content if _end(path) == seal.encode() else None


def looks_sealed(path: Path) -> bool:
    """Whether a file ends in a seal of its length; its content is not read."""
    try:
        seal, size = _end(path), path.stat().st_size
    except OSError:
        return False
    return seal.startswith(_SEAL.format(length=size - _SEAL_BYTES, sha256="").rstrip().encode())


def seal_json(value: Mapping[str, Any]) -> bytes:
    """A JSON object, readable for a person, with the hash of its other values under `sha256`."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    sealed = {**value, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return (json.dumps(sealed, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


def read_sealed_json(path: Path) -> dict[str, Any] | None:
    """The values that `seal_json` sealed; None where there are none, or a byte of the file is another."""
    try:
        return unseal_json(path.read_bytes())
    except OSError:
        return None


def unseal_json(content: bytes) -> dict[str, Any] | None:
    """The values of which `seal_json` gives these very bytes; None where there are none."""
    try:
        value: dict[str, Any] = json.loads(content)
        del value["sha256"]
        return value if seal_json(value) == content else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def remembered(function: Callable[[Path], T]) -> Callable[[Path], T]:
    """The same function of a file's content, called once a process for as long as the file looks the same.

    How a file looks: device, inode, size, and when its content and its entry were changed.
    """
    known: dict[tuple[int, ...], T] = {}

    def remember(path: Path) -> T:
        found = path.stat()
        look = (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
        if look in known:
            return known[look]
        settled = time_ns() - max(found.st_mtime_ns, found.st_ctime_ns) > _STEP_NS
        result = function(path)
        if settled:
            known[look] = result
        return result

    return remember


def _end(path: Path) -> bytes:
    """The bytes where a seal stands."""
    with path.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - _SEAL_BYTES))
        return file.read()


def _is_whole(path: Path) -> bool:
    """Whether the seal is that of the content, which is read in pieces: mapped, it would count as memory."""
    with path.open("rb") as file:
        left = length = os.fstat(file.fileno()).st_size - _SEAL_BYTES
        digest = hashlib.sha256()
        while left > 0 and (piece := file.read(min(left, _PIECE))):
            digest.update(piece)
            left -= len(piece)
        return file.read() == _SEAL.format(length=max(length, 0), sha256=digest.hexdigest()).encode()


is_whole = remembered(_is_whole)
known_sha256 = remembered(sha256_file)
