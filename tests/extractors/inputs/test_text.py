"""Cleaning texts."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.extractors.errors import TextRejectedError
from alignrec.extractors.inputs.text import MAX_CHARS, clean_text


@pytest.mark.parametrize(
    "raw", [None, "", "  \n\t", float("nan"), np.nan, [], [None, ""], "\x00\x1b", "\u200b"]
)
def test_nothing_to_read(raw: Any) -> None:
    with pytest.raises(TextRejectedError) as caught:
        clean_text(raw)
    assert caught.value.reason == "empty"


@pytest.mark.parametrize("raw", [{"a": 1}, b"bytes", object(), [["a"]], [{"a": 1}]])
def test_what_is_no_text(raw: Any) -> None:
    with pytest.raises(TextRejectedError) as caught:
        clean_text(raw)
    assert caught.value.reason == "not-text"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (7, "7"),
        (1995.0, "1995"),
        (2.5, "2.5"),
        (np.int64(3), "3"),
        (["a", None, "b"], "a, b"),
        ("two\n\nlines\tand  more ", "two lines and more"),
        ("a\x00b\ud800c", "abc"),
        ("e\u0301", "é"),
        ("family 👨\u200d👩\u200d👧", "family 👨\u200d👩\u200d👧"),
    ],
)
def test_cleaned(raw: Any, expected: str) -> None:
    assert clean_text(raw) == expected


def test_an_enormous_text_is_cut() -> None:
    assert clean_text("ab " * 10**6) == ("ab " * 10**6)[:MAX_CHARS].strip()


@given(st.text())
def test_cleaning_is_stable(raw: str) -> None:
    try:
        text = clean_text(raw)
    except TextRejectedError:
        return
    assert clean_text(text) == text == text.strip()
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in text)
    text.encode()
