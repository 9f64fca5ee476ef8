"""Why the ids of two tables do not meet: one of each, side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence

# What ids of one thing commonly differ by, and the form that both then share.
_DIFFERENCES: dict[str, Callable[[str], str]] = {
    "blanks around it": str.strip,
    "upper and lower case": str.casefold,
    "leading zeros": lambda name: name.lstrip("0") or "0",
    "a decimal part .0": lambda name: name.removesuffix(".0"),
    "a prefix": lambda name: name[len(name.rstrip("0123456789")) :] or name,
}


def compare_ids(unknown: str, item_ids: Sequence[str]) -> str:
    """A sentence on an id that is not among the catalogue's, with the one that it may mean.

    Args:
        unknown: the id.
        item_ids: the catalogue's, at least one.
    """
    for difference, plain in _DIFFERENCES.items():
        meant = next((name for name in item_ids if plain(name) == plain(unknown)), None)
        if meant is not None:
            return (
                f"The id {unknown!r} is not in the catalogue, and {meant!r} is: they differ by {difference}."
            )
    return f"The id {unknown!r} is not in the catalogue, whose ids look like {item_ids[0]!r}."
