"""What a cell of a column of pictures or sounds holds: those that it names or holds itself, one by one."""

from __future__ import annotations

import ast
import binascii
import json
import os
import re
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np

from alignrec.core.display import shown
from alignrec.extractors.inputs.audio import wav_bytes
from alignrec.extractors.modality import IMAGE, Kind
from alignrec.pipeline.catalog.object_stores import RemoteFolder

# Where paths start: a folder of this machine or one at a URL.
Root = Path | RemoteFolder

_NEXT_URL = re.compile(r"[|;,\s]+(?=https?://)")
# Between paths, the surest first; a name may have any of the later ones in it.
_SEPARATORS = ("|", "\n", ";", ",")
# NumPy shows the texts of an array without commas.
_NO_COMMA = re.compile(r"(?<=['\"])\s+(?=['\"])")
_LONGEST_LIST = 1 << 20
_BASE64_BEGINS = 64  # characters, enough for what tells a format
_URL_SAFE = str.maketrans("-_", "+/")


class FileRefError(ValueError):
    """A picture or sound that cannot be referred to; `reason` is a slug for counting."""

    def __init__(self, reason: str, detail: str) -> None:
        """Keep the slug beside the sentence."""
        super().__init__(detail)
        self.reason = reason


def files_in(cell: Any, root: Root, kind: Kind = IMAGE) -> list[Any]:
    """Each picture, or sound, of a cell: bytes, a path or URL as text, `{"row"}`, or what none of these is.

    Args:
        cell: one of these; `{"bytes", "path"}` as Hugging Face datasets store files; a waveform as
            `{"array", "sampling_rate"}`, which becomes a WAV file; a file in base64, with `data:` before it
            or bare; a list of any; or a text of several: a JSON or Python list, or parted by `|` (by `;`,
            `,` or line ends too, if each part has an ending or is a URL).
        root: a text that names a file below it as a whole is one path, whatever characters it has.
        kind: of the content that is looked for.

    Raises:
        FileRefError: it begins as base64 and is none, or is no waveform.
    """
    if cell is None or cell != cell:
        return []
    if isinstance(cell, list | tuple):
        return [file for one in cell for file in files_in(one, root, kind)]
    if isinstance(cell, Mapping) and cell.get("array") is not None and "sampling_rate" in cell:
        return [_waveform(cell["array"], cell["sampling_rate"])]
    if isinstance(cell, Mapping) and ("bytes" in cell or "path" in cell):
        held = cell.get("bytes")
        return files_in(cell.get("path") if held is None else held, root, kind)
    return _in_text(cell, root, kind) if isinstance(cell, str) else [cell]


def each_file(cell: Any, root: Root, kind: Kind = IMAGE) -> list[Any]:
    """As `files_in`, with an `FileRefError` in the place of each that it would raise."""
    if isinstance(cell, list | tuple):
        return [file for one in cell for file in each_file(one, root, kind)]
    try:
        return files_in(cell, root, kind)
    except FileRefError as error:
        return [error]


def _waveform(array: Any, rate: Any) -> bytes:
    """A waveform `[n]` or, as `datasets` has them, `[channels, n]`, as a file."""
    try:
        samples = np.asarray(array, dtype=np.float32)
        return wav_bytes(samples.T if samples.ndim == 2 else samples, int(rate))
    except (ValueError, TypeError, OverflowError) as error:
        raise FileRefError("not-a-waveform", f"the array of a sound cannot be read: {error}") from None


def is_url(value: str) -> bool:
    """Whether a value of a column of files is a URL."""
    return value.startswith(("http://", "https://"))


def _in_text(text: str, root: Root, kind: Kind) -> list[Any]:
    stripped = text.strip()
    if not stripped:
        return []
    held = _held_in_text(stripped, kind)
    if held is not None:
        return [held]
    listed = _listed(stripped)
    if listed is not None:
        return files_in(listed, root, kind)
    if is_url(stripped):
        return _NEXT_URL.split(stripped.rstrip("|;, "))
    for separator in _SEPARATORS:
        parts = [part.strip() for part in text.split(separator) if part.strip()]
        sure = separator == "|" or all(PurePath(part).suffix for part in parts)
        if separator in text and sure and not _is_there(root, text):
            return parts
    return [text]


def _held_in_text(text: str, kind: Kind) -> bytes | None:
    """The file that a text is, in a `data:` URL or in bare base64; None for any other text."""
    if text[:5].lower() == "data:":
        header, comma, body = text.partition(",")
        if not comma:
            raise FileRefError("damaged-base64", f"{shown(text)} has no comma before its data")
        return _decoded(body) if header.lower().endswith(";base64") else unquote_to_bytes(body)
    beginning = text[:_BASE64_BEGINS].translate(_URL_SAFE)
    try:
        whole = len(beginning) == _BASE64_BEGINS and kind.format_of is not None
        bare = whole and kind.format_of and kind.format_of(b64decode(beginning, validate=True))
    except ValueError:
        return None
    return _decoded(text) if bare else None


def _decoded(text: str) -> bytes:
    """Base64 of either alphabet, with or without line ends and padding."""
    body = "".join(text.split()).rstrip("=").translate(_URL_SAFE)
    try:
        return b64decode(body + "=" * (-len(body) % 4), validate=True)
    except (ValueError, binascii.Error) as error:
        raise FileRefError("damaged-base64", f"{shown(text)} begins as base64: {error}") from None


def _listed(text: str) -> list[Any] | None:
    """The list that a text shows, as JSON, Python or NumPy write one."""
    if text[0] != "[" or text[-1] != "]" or len(text) > _LONGEST_LIST:
        return None
    for read in (json.loads, lambda written: ast.literal_eval(_NO_COMMA.sub(", ", written))):
        try:
            found = read(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list) else None
    return None


def _is_there(root: Root, name: str) -> bool:
    if isinstance(root, RemoteFolder):
        return name in root
    try:
        return os.path.lexists(root / name)
    except ValueError:
        return False
