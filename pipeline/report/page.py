"""The page: templates filled in, everything inline, and nothing that the data says is ever run."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

_HERE = Path(__file__).parent
# One script, a part a file: each may use what stands before it, the last begins.
SCRIPTS = ("elements.js", "tables.js", "picked.js", "shelf.js", "map.js", "quality.js", "begin.js")
# JSON inside HTML: none of these may be read as markup, nor end a line of script.
_ESCAPES = {ord(c): f"\\u{ord(c):04x}" for c in "<>&\u2028\u2029"}


def render(context: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The whole page.

    Only our own style and script, known by their hashes, are applied and run: the page's content
    security policy forbids every other one, and every request to anywhere.

    Args:
        context: what the template shows; strings are escaped.
        data: what the script shows, as JSON values.
    """
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["capitalised"] = lambda text: text[:1].upper() + text[1:]
    environment.filters["thousands"] = lambda number: f"{number:,}"
    style, script = _asset("report.css"), "\n".join(map(_asset, SCRIPTS))
    policy = (
        f"default-src 'none'; img-src data:; media-src data:; style-src {_hash(style)}; "
        f"script-src {_hash(script)}; "
        "base-uri 'none'; form-action 'none'"
    )
    return environment.get_template("report.html.j2").render(
        context,
        policy=policy,
        # Ours, and JSON that was escaped just before: the only strings that are not escaped here.
        style=Markup(style),
        script=Markup(script),
        data=Markup(embedded_json(data)),
    )


def embedded_json(value: Any) -> str:
    """JSON that HTML cannot take for anything else, wherever it stands inside a script element."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.translate(_ESCAPES)


def _asset(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _hash(content: str) -> str:
    return f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'"
