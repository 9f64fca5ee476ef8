"""What a set has learned from, in words."""

from __future__ import annotations

import pytest

from alignrec.core.learned_from import LearnedFrom


def test_it_says_which_how_many_until_when_and_what_is_left() -> None:
    found = LearnedFrom("the training part", 43854, 10559, "1998-04-22T23:10:38Z")
    assert not found.everything
    assert str(found) == (
        "43,854 interactions (the training part, the latest of 1998-04-22T23:10:38Z); 10,559 were held out"
    )


def test_a_set_that_learned_from_everything_is_named_as_that() -> None:
    found = LearnedFrom("the whole log", 12, 0)
    assert found.everything
    assert str(found) == "all 12 interactions (the whole log); nothing was held out"


@pytest.mark.parametrize("numbers", [(-1, 0), (0, -1)])
def test_numbers_are_counts(numbers: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="negative"):
        LearnedFrom("x", *numbers)
