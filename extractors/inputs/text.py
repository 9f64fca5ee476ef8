"""Raw values to clean text, or a reason why not."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

import numpy as np

from alignrec.extractors.errors import TextRejectedError

# Longer than any supported model reads; cut before tokenisation, whose cost grows with the length.
MAX_CHARS = 32_768

_SPACES = re.compile(r"\s+")
_MOST_MARKS, _JOINER = 30, "\N{COMBINING GRAPHEME JOINER}"
_INVISIBLE = ("Cf", "Cn", "Co", "Zs", "Zl", "Zp")


def clean_text(raw: Any) -> str:
    """The text a model should see.

    Control characters and lone surrogates go; runs of whitespace become one space; the text is
    composed (Unicode NFC) and cut at `MAX_CHARS` characters. Numbers become their digits, lists their
    parts joined by ", ".

    Raises:
        TextRejectedError: its reason is `empty` (null, NaN, nothing visible) or `not-text` (an object
            or bytes).
    """
    text = tidy(as_text(raw))
    if all(unicodedata.category(character) in _INVISIBLE for character in text):
        raise TextRejectedError("empty", "there is nothing to read")
    return text


def as_text(value: Any) -> str:
    """One value as it reads: null as nothing, 1995.0 as `1995`, a list joined by ", ".

    Raises:
        TextRejectedError: `not-text`: the value is an object, bytes, or a list of lists.
    """
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        if any(isinstance(part, (list, tuple, np.ndarray)) for part in value):
            raise TextRejectedError("not-text", "a list inside a list is not text")
        parts = (as_text(part).strip() for part in value)
        return ", ".join(part for part in parts if part)
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    if isinstance(value, (int, float)):
        return str(value)
    raise TextRejectedError("not-text", f"a value of type {type(value).__name__} is not text")


def tidy(text: str) -> str:
    """Cleaned text, possibly empty; see `clean_text`."""
    text = text.lstrip()[:MAX_CHARS]
    visible = "".join(
        character
        for character in text
        if character.isspace() or unicodedata.category(character) not in ("Cc", "Cs")
    )
    composed = unicodedata.normalize("NFC", _stream_safe(visible))
    return _SPACES.sub(" ", composed).strip()[:MAX_CHARS].rstrip()


def _stream_safe(text: str) -> str:
    """A joiner after every 30 marks in a row: Unicode's Stream-Safe Text Format (UAX #15, section 13).

    Marks are sorted when a text is composed, at a cost that grows with the square of their number.
    """
    if text.isascii():
        return text
    safe: list[str] = []
    marks = 0
    for character in text:
        parts = [unicodedata.combining(part) > 0 for part in unicodedata.normalize("NFKD", character)]
        leading = len(parts) if all(parts) else parts.index(False)
        if marks + leading > _MOST_MARKS:
            safe.append(_JOINER)
            marks = 0
        safe.append(character)
        marks = marks + leading if leading == len(parts) else parts[::-1].index(False)
    return "".join(safe)
