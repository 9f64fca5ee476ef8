"""Which interactions a feature set has learned from, so that nobody evaluates it on these."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time


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
        rest = f"{self.held_out:,} were held out"
        if self.everything:
            rest = "nothing was held out: it is for serving, and no interaction of this log can measure it"
        return f"{seen} interactions ({self.rule}{last}); {rest}"

    def leak(self, cut_off: datetime) -> str:
        """Why the set must not be measured on interactions from a moment on; "" where it may be.

        Args:
            cut_off: aware of its time zone.
        """
        if self.last is None:
            return "the times of these are not known"
        try:
            last = moment(self.last)
        except ValueError:
            return f"{self.last!r} is no time that can be compared"
        return "the latest is not before the cut-off" if last >= cut_off else ""


def moment(value: str | date) -> datetime:
    """A moment as an aware datetime; without a time zone it is UTC, without a time of day its midnight.

    Args:
        value: ISO 8601 text, or a date, datetime or pandas Timestamp.

    Raises:
        ValueError: a text that is no such time.
        TypeError: something else: a number, say, that could count seconds or milliseconds.
    """
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, date):
        raise TypeError(f"expected a time such as '2024-05-01' or a datetime, got {value!r}")
    if not isinstance(value, datetime):
        value = datetime.combine(value, time())
    return value if value.tzinfo else value.replace(tzinfo=UTC)
