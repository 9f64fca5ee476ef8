"""A value of somebody's as words in Markdown: shown as it is, with nothing in it that is live."""

from __future__ import annotations

import re
from typing import Any

from alignrec.core.display import printable_line

LONGEST = 200
# What begins markup, HTML, an entity, a formula or a mention, wherever it stands in a line; a low line inside
# a word begins nothing.
_MARKUP = re.compile(r"[\\`*\[\]|~$<&@]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
# What a renderer takes for an address without being asked to (github.github.com/gfm, 6.9).
_ADDRESS = re.compile(r":(?=//)|(?<=www)\.", re.IGNORECASE)
_ENTITIES = {"<": "&lt;", "&": "&amp;", "@": "&#64;"}


def plain(value: Any, longest: int = LONGEST) -> str:
    """A value on one line of Markdown, at most `longest` characters of it.

    It can neither end the cell of a table that it stands in nor be a link, a picture or HTML: marks are
    escaped, and what makes an address of a text is an entity.
    """
    text = printable_line(str(value))
    text = text if len(text) <= longest else f"{text[: longest - 1]}…"
    escaped = _MARKUP.sub(lambda found: _ENTITIES.get(found[0], f"\\{found[0]}"), text)
    return _ADDRESS.sub(lambda found: f"&#{ord(found[0])};", escaped)
