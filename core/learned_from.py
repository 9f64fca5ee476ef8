"""Which interactions a feature set has learned from, so that nobody evaluates it on these."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LearnedFrom:
    """The interactions that a set's values depend on.

    Attributes:
        rule: which they are, in words.
        interactions: how many.
        held_out: how many of the same log the set has not learned from; 0 where it learned from all of it.
        last: the time of the latest of them, ISO 8601 in UTC; None where their times are not known.

    Raises:
        ValueError: a number is negative.
    """

    rule: str
    interactions: int
    held_out: int
    last: str | None = None

    def __post_init__(self) -> None:
        """Check the numbers."""
        if min(self.interactions, self.held_out) < 0:
            raise ValueError("a set cannot have learned from a negative number of interactions")

    @property
    def everything(self) -> bool:
        """Whether nothing was held out: no interaction of the log can measure the set."""
        return self.held_out == 0

    def __str__(self) -> str:
        """All of it in a sentence's words."""
        seen = f"all {self.interactions:,}" if self.everything else f"{self.interactions:,}"
        last = "" if self.last is None else f", the latest of {self.last}"
        rest = "nothing was held out" if self.everything else f"{self.held_out:,} were held out"
        return f"{seen} interactions ({self.rule}{last}); {rest}"
