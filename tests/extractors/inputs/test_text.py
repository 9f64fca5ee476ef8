"""Cleaning texts."""

from __future__ import annotations

import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.extractors.errors import TextRejectedError
from alignrec.extractors.inputs.text import MAX_CHARS, clean_text, tidy


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


ACUTE, JOINER = "\u0301", "\u034f"


def test_marks_without_end_are_joined_at_every_thirtieth() -> None:
    """The Stream-Safe Text Format of Unicode, UAX #15: what is composed has at most 30 marks in a row."""
    assert tidy("x" + 30 * ACUTE) == "x" + 30 * ACUTE
    assert tidy("x" + 70 * ACUTE) == "x" + JOINER.join([30 * ACUTE, 30 * ACUTE, 10 * ACUTE])
    assert tidy("\u00e9" + 30 * ACUTE) == "\u00e9" + 29 * ACUTE + JOINER + ACUTE  # é is e and a mark already
    # U+0F73 is no mark by its class, but it is made of two.
    assert tidy("x" + 16 * "\u0f73") == "x" + 15 * "\u0f71" + 15 * "\u0f72" + JOINER + "\u0f71\u0f72"


@given(st.text(max_size=60))
def test_other_texts_are_composed_as_they_are(text: str) -> None:
    kept = "".join(c for c in text.lstrip() if c.isspace() or unicodedata.category(c) not in ("Cc", "Cs"))
    assert tidy(text) == " ".join(unicodedata.normalize("NFC", kept).split())


@pytest.mark.parametrize("mark", [ACUTE, "\u0f73", "\u0344", "\u0323\u0301"])
def test_no_run_of_marks_is_longer_than_composing_bears(mark: str) -> None:
    """Marks are sorted run by run, at a cost that grows with the square of a run's length."""
    decomposed = unicodedata.normalize("NFD", tidy("x" + 4_000 * mark))
    runs = "".join("m" if unicodedata.combining(character) else " " for character in decomposed).split()
    assert max(map(len, runs)) <= 31
