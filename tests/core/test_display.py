"""What others wrote is shown as it is, and does nothing to the terminal that shows it."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.core.display import MOST_LISTED, listed, printable, printable_line, shortened, shown


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, ж, 標題, café\u00a0au lait", "plain, ж, 標題, café\u00a0au lait"),
        ("two\nlines", "two\nlines"),
        ("می\u200cخواهم 👩\u200d👩", "می\u200cخواهم 👩\u200d👩"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("back\b\r\t\x7f\x9b1m", "back\\x08\\r\\t\\x7f\\x9b1m"),
        ("\u202ecod.exe\u2066\u200f\u061c", "\\u202ecod.exe\\u2066\\u200f\\u061c"),
        ("half \ud800 pair", "half \\ud800 pair"),
        ("\u2028\u2029\ufeff\u200b\U000e0041", "\\u2028\\u2029\\ufeff\\u200b\\U000e0041"),
    ],
)
def test_what_acts_on_a_terminal_is_written_out(text: str, expected: str) -> None:
    assert printable(text) == expected


@settings(max_examples=200, derandomize=True)
@given(st.text(st.characters()))
def test_nothing_that_acts_is_left_and_it_is_done_once(text: str) -> None:
    result = printable(text)
    joiners = "\u200c\u200d"
    kinds = {unicodedata.category(c) for c in result if c not in "\n" + joiners}
    assert kinds.isdisjoint({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
    assert printable(result) == result
    result.encode()


def test_a_line_stays_one() -> None:
    assert printable_line("done\nerror:\x1b[31m\r\n no\u2028") == "done error:\\x1b[31m no"


def test_a_value_is_shown_short() -> None:
    assert shown("x") == "'x'" and shown([1, 2]) == "[1, 2]"
    nested: list[object] = [1]
    for _ in range(10_000):
        nested = [nested] * 9
    wide = {"a" * 10**6: ["b" * 10**6] * 100}
    for large in ("x" * 10**6, list(range(10**6)), wide, nested, b"\x1b" * 999):
        assert len(shown(large)) < 900 and shown(large).isprintable()


def test_many_names_are_listed_as_far_as_a_message_holds() -> None:
    assert listed(["a", "b\n"]) == "'a', 'b\\n'" and listed([]) == ""
    many = listed([f"{n}" * 10**5 for n in range(1, 9)] * 1000)
    assert len(many) < 4000 and many.endswith(", …") and many.count(", ") == MOST_LISTED


@settings(max_examples=100, derandomize=True)
@given(st.text(), st.integers(8, 40))
def test_a_long_sentence_loses_its_middle_as_a_long_value_does(text: str, most: int) -> None:
    short = shortened(text, most)
    assert len(short) == min(len(text), most)
    assert short == text or (short.count("...") and text.startswith(short[:2]) and text.endswith(short[-2:]))
    assert shown("a" * 200) == shortened(repr("a" * 200), 80)
