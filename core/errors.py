"""The base of every error and warning that a user can act on, and hints that name what was probably meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from alignrec.core.display import MOST_LISTED, shown


class AlignRecError(Exception):
    """Something a user can act on; the message says what happened, where, and what to do next.

    Attributes:
        exit_code: what a command that meets it exits with: 2 wrong usage, config or data; 3 refused;
            4 network.
    """

    exit_code = 2

    def __reduce__(self) -> tuple[Any, ...]:
        """Reach another process as it is, however its kind is made."""
        return _as_it_was, (type(self), self.args, self.__dict__)


def _as_it_was(kind: type[AlignRecError], args: tuple[Any, ...], attributes: dict[str, Any]) -> AlignRecError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(attributes)
    return error


class AlignRecWarning(UserWarning):
    """What a person should know of, though the work is done."""


def suggest(unknown: str, known: Iterable[str]) -> str:
    """The end of an error message: the nearest known word, or all of them, as far as a message can hold."""
    words = sorted(known)
    matches = difflib.get_close_matches(unknown, words, n=1, cutoff=0.5)
    if matches:
        return f"did you mean {shown(matches[0])}?"
    more = ["…"] * (len(words) > MOST_LISTED)
    return f"known: {', '.join([shown(word)[1:-1] for word in words[:MOST_LISTED]] + more)}"


def nearest_file(path: Path) -> str:
    """A sentence that names the file most like an absent one, in its folder; "" where none is like it."""
    names = [entry.name for entry in path.parent.iterdir()] if path.parent.is_dir() else []
    matches = difflib.get_close_matches(path.name, names, n=1)
    return f" Did you mean {path.parent / matches[0]}?" if matches else ""
