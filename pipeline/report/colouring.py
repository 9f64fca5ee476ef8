"""Ways to colour a map: columns that put items into a few groups."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from alignrec.pipeline.report.gallery import clip, readable

MAX_GROUPS = 8
BINS = 5
# The eight largest groups of a column worth colouring by hold at least this share of the items.
LEAST_COVERED = 0.4
# A column of numbers may hold a few other words.
NUMERIC = 0.95
LONGEST_LABEL = 40


@dataclass(frozen=True)
class Colouring:
    """One way to colour items.

    Attributes:
        name: of the column.
        labels: of the groups.
        codes: for each item its group; `len(labels)` for any other value, -1 for none.
        ordered: whether the groups are ranges from low to high.
        times: how many times as often as by chance two items of one user are of one group; None where nobody
            has two items.
        care: the same less chance, as a share of what is possible: 1 where a user's items are always of one
            group, 0 where users do not care.
    """

    name: str
    labels: list[str]
    codes: list[int]
    ordered: bool
    times: float | None = None
    care: float = 0.0


def by_care(colourings: Sequence[Colouring], histories: sp.csr_array) -> list[Colouring]:
    """Colourings with how much users care about their groups, those they care most about first.

    Items without a group, or of one too small to have a label, count for nothing.

    Args:
        colourings: of the same `n` items.
        histories: CSR `[users, n]`, which items a user has.
    """
    return sorted((_with_care(colouring, histories) for colouring in colourings), key=lambda c: -c.care)


def _with_care(colouring: Colouring, histories: sp.csr_array) -> Colouring:
    codes, count = np.array(colouring.codes), len(colouring.labels)
    labelled = np.flatnonzero((codes >= 0) & (codes < count))
    member = sp.csr_array((np.ones(len(labelled)), (labelled, codes[labelled])), shape=(len(codes), count))
    counts = ((histories > 0).astype(np.float64) @ member).toarray()  # [users, groups]
    totals = counts.sum(axis=1)
    pairs = float((totals * (totals - 1)).sum())
    if not pairs:
        return colouring
    together = float((counts * (counts - 1)).sum()) / pairs
    chance = float(np.square(counts.sum(axis=0) / totals.sum()).sum())
    care = (together - chance) / (1 - chance) if chance < 1 else 0.0
    return replace(colouring, times=round(together / chance, 4), care=round(care, 6))


def group_values(name: str, values: Sequence[Any]) -> Colouring | None:
    """Groups of a column's values, or None where a few groups do not cover it.

    Many distinct numbers are cut into ranges with about as many items each; of a list the first entry
    counts.
    """
    name = clip(readable(name), LONGEST_LABEL)
    firsts = [value[0] if isinstance(value, list) and value else value for value in values]
    texts = [clip(readable(first), LONGEST_LABEL) for first in firsts]
    count = Counter(text for text in texts if text)
    numbers = [_number(text) for text in texts]
    known = sum(number is not None for number in numbers)
    if len(count) > MAX_GROUPS and known >= NUMERIC * count.total():
        return _ranges(name, numbers)
    largest = sorted(count, key=lambda text: (-count[text], text))[:MAX_GROUPS]
    covered = sum(count[text] for text in largest)
    if len(largest) < 2 or covered < LEAST_COVERED * count.total() or len(count) == count.total():
        return None
    code = {text: number for number, text in enumerate(largest)} | {"": -1}
    return Colouring(name, largest, [code.get(text, len(largest)) for text in texts], ordered=False)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _ranges(name: str, numbers: Sequence[float | None]) -> Colouring | None:
    known = np.array([number for number in numbers if number is not None])
    edges = np.unique(np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1], method="lower"))
    codes = [-1 if n is None else int(np.searchsorted(edges, n, side="right")) for n in numbers]
    labels: list[str] = []
    order: dict[int, int] = {}
    for code in sorted(set(codes) - {-1}):
        inside = [n for n, c in zip(numbers, codes, strict=True) if c == code and n is not None]
        order[code] = len(labels)
        low, high = f"{min(inside):g}", f"{max(inside):g}"
        labels.append(low if low == high else f"{low} – {high}")
    if len(labels) < 2:
        return None
    return Colouring(name, labels, [order.get(code, -1) for code in codes], ordered=True)
