"""What others wrote is words in a card: a renderer makes nothing else of it."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from alignrec.core.display import printable_line
from alignrec.export.hub.markdown import LONGEST, plain

_RENDERER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# Texts of which something would be live.
HOSTILE = [
    "![](http://tracker.example/x.png)",
    "[click](javascript:alert(1))",
    "[a]: http://a.example",
    "<http://a.example>",
    "https://a.example/?q=1",
    "HTTP://A.EXAMPLE www.a.example WWW.a.example ftp://a",
    "<img src=x onerror=alert(1)>",
    "<!-- alignrec: end -->",
    "&lt;b&gt; &#91;x&#93;(y) &#33;",
    "a | b || c \\| d \\\\| e",
    "`code` ``x`` \\` **b** __b__ _i_ ~~s~~ $x$ $$y$$",
    "snake_case __init__ _x",
    "one\ntwo\r\n| three |\n# four\n\n---",
    "@everyone a@b.example",
    "\x1b[31mred \u202ecod.exe\u2066 \u2028 \x00",
    "\\",
    "![x][y] [^1] - [ ] task",
]

_PIECES = st.sampled_from([*"\\`*_[]()!|~$<>&@:/.-#\n ab", "http", "www", "](", "![", "&#"])


def _cells(value: object) -> list[str]:
    """The cells of a row in which a value stands between others, as a renderer shows them."""
    page = _RENDERER.render(f"| a | b | c |\n| --- | --- | --- |\n| 1 | {plain(value)} | 3 |\n")
    row = re.findall(r"<td>(.*?)</td>", page, re.DOTALL)
    assert not re.search(r"<(?!/?(table|thead|tbody|tr|th|td)\b)", page), page
    return [html.unescape(cell) for cell in row]


@pytest.mark.parametrize("value", HOSTILE)
def test_what_would_be_live_is_shown(value: str) -> None:
    assert _cells(value) == ["1", printable_line(value), "3"]
    assert not re.search(r"://|www\.|[^\\]\[|<", plain(value), re.IGNORECASE)


@settings(max_examples=300, derandomize=True)
@given(
    st.lists(st.sampled_from([*"\\`*_[]()!|~$<>&@:/.-#\n ab", "http", "www", "](", "![", "&#"])).map("".join)
)
def test_any_text_is_one_cell_of_itself(value: str) -> None:
    shown = printable_line(value)
    cut = shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"
    assert _cells(value) == ["1", cut, "3"]


def test_a_long_value_is_cut() -> None:
    assert plain("x" * 10**6) == "x" * (LONGEST - 1) + "…"
    assert plain(7) == "7" and plain(None) == "None"
    assert plain("packaged:all-minilm-l6-v2") == "packaged:all-minilm-l6-v2"
