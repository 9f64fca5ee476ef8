"""What a set has learned from, in words."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pandas as pd
import pytest

from alignrec.core.learned_from import LearnedFrom, moment


def test_it_says_which_how_many_until_when_and_what_is_left() -> None:
    found = LearnedFrom("the training part", 43854, 10559, "1998-04-22T23:10:38Z")
    assert not found.everything
    assert str(found) == (
        "43,854 interactions (the training part, the latest of 1998-04-22T23:10:38Z); 10,559 were held out"
    )


def test_a_set_that_learned_from_everything_is_named_as_that() -> None:
    found = LearnedFrom("the whole log", 12, 0)
    assert found.everything
    assert str(found) == (
        "all 12 interactions (the whole log); nothing was held out: it is for serving, and no interaction of "
        "this log can measure it"
    )


@pytest.mark.parametrize(
    ("last", "cut_off", "why"),
    [
        ("2024-05-01T00:00:00Z", "2024-05-01T00:00:01", ""),
        ("2024-05-01T00:00:00Z", "2024-05-01", "the latest is not before the cut-off"),
        ("2024-05-01T00:00:00.000000001Z", "2024-04-30", "the latest is not before"),
        ("2024-05-01T00:00:00Z", "2024-05-01T01:30:00+02:00", "the latest is not before"),
        (None, "2024-05-01", "the times of these are not known"),
        ("yesterday", "2024-05-01", "'yesterday' is no time that can be compared"),
    ],
)
def test_a_leak_is_what_is_not_before_the_cut_off(last: str | None, cut_off: str, why: str) -> None:
    found = LearnedFrom("the training part", 9, 2, last).leak(moment(cut_off))
    assert found.startswith(why) if why else found == ""


def test_a_moment_is_read_from_text_dates_and_other_libraries() -> None:
    midnight = datetime(2024, 5, 1, tzinfo=UTC)
    for value in (
        "2024-05-01",
        "2024-05-01T00:00:00Z",
        date(2024, 5, 1),
        pd.Timestamp("2024-05-01"),
        midnight,
    ):
        assert moment(value) == midnight
    with pytest.raises(TypeError, match="a time such as '2024-05-01' or a datetime, got 1714521600"):
        moment(1714521600)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="Invalid isoformat"):
        moment("last May")


@pytest.mark.parametrize("numbers", [(-1, 0), (0, -1)])
def test_numbers_are_counts(numbers: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        LearnedFrom("x", *numbers)
