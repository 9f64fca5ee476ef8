"""Ids as a catalogue has them: text, and how a number that stands for one is spelled."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np


def as_ids(values: Iterable[Any]) -> Sequence[str]:
    """Ids as the tables of a catalogue are read: text as it is, a whole number as its digits.

    Args:
        values: a list, tuple, array, Series or tensor of ids. A float without a fraction is a whole number,
            since pandas makes floats of a column of integers in which one is missing.

    Returns:
        Their texts, in order; the argument itself if it is a list of texts.

    Raises:
        TypeError: one is no id (missing, a fraction, bytes, a list), or `values` is one id alone.
    """
    if isinstance(values, str | bytes):
        raise TypeError(f"expected a list of ids, got one alone: {values!r}")
    listed = values.tolist() if hasattr(values, "tolist") else values
    ids = listed if isinstance(listed, list) else list(listed)
    if all(issubclass(kind, str) for kind in set(map(type, ids))):
        return ids
    return [_as_id(value, place) for place, value in enumerate(ids)]


def _as_id(value: Any, place: int) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | np.integer) and not isinstance(value, bool):
        return str(int(value))
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    raise TypeError(
        f"the id at place {place} is {value!r}, of type {type(value).__name__}: expected text, as in the "
        "catalogue, or a whole number, which stands for its digits"
    )
