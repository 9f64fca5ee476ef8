"""Words of others as a message or a terminal shows them: short, and with nothing in them that acts."""

from __future__ import annotations

import reprlib
import unicodedata
from collections.abc import Sequence
from typing import Any

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 80
_SHORT.maxlist = _SHORT.maxtuple = _SHORT.maxdict = _SHORT.maxlevel = 3
MOST_LISTED = 30
# Blanks of any script, the line's end, and what joins letters to one another in words and in emoji.
_HARMLESS = {"\n", "\N{ZERO WIDTH NON-JOINER}", "\N{ZERO WIDTH JOINER}"}


def shown(value: Any) -> str:
    """A value as messages and lists of rejections show it, its middle left out where it is long."""
    return _SHORT.repr(value)


def listed(names: Sequence[str]) -> str:
    """Names as messages list them, in quotes: the first of them, each short."""
    return ", ".join([shown(name) for name in names[:MOST_LISTED]] + ["…"] * (len(names) > MOST_LISTED))


def shortened(text: str, most: int = 160) -> str:
    """A sentence as a line of a message shows it, its middle left out beyond `most` characters."""
    head, tail = (most - 3) // 2, most - 3 - (most - 3) // 2
    return text if len(text) <= most else f"{text[:head]}...{text[-tail:]}"


def printable(text: str) -> str:
    """A text that a terminal shows as it is: what would move its cursor, colour it or turn it is an escape.

    Line ends stay. Control characters (ESC among them), marks of direction, half surrogate pairs and whatever
    else is not seen become `\\x1b`, `\\u202e` and so on, as `repr` writes them.
    """
    if text.isprintable():
        return text
    return "".join(c if _is_harmless(c) else ascii(c)[1:-1] for c in text)


def printable_line(text: str) -> str:
    """As `printable`, on one line."""
    return printable(" ".join(text.split()))


def _is_harmless(character: str) -> bool:
    return character.isprintable() or character in _HARMLESS or unicodedata.category(character) == "Zs"
