"""Items whose contents do not seem to be of one thing, such as a picture unlike its text.

Each kind of content is guessed from each other one by ridge regression, for every item by a regression that
did not see it. Where an item's own text fits what its picture makes one expect worse than most other items'
texts do, and its picture what its text makes one expect, the two are unlike.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.alignment.consensus import Doubles
from alignrec.aligner.alignment.cross_view import regression
from alignrec.aligner.alignment.views import members_by_kind, view_parts
from alignrec.aligner.inputs import Inputs
from alignrec.core.vectors import principal_axes, unit_rows

_FOLDS = 5
_FEWEST = 100  # items with both: a fold has twenty
_MOST = 20_000  # of them that are looked at
_OTHERS = 2_000  # whose contents an item's own are compared with
_COMPONENTS = 256  # of all views of a kind together
_BLOCK = 1024
# Contents put together at random have half of the others fit better, on average.
UNLIKE = 0.5
# Half of the items must have fewer of the others fit better than this, or the kinds tell too little of one
# another. It is .02 to .04 for drawn goods and for a shop's clothes, where about half of those items were
# found whose picture had been given to another; and .17 for films' posters and plots, where one in six items
# of a sound catalogue would be named.
_KNOWN = 0.1


@dataclass(frozen=True)
class Mismatch:
    """An item whose contents are unlike.

    Attributes:
        item: its row in the catalogue.
        better: the share of other items whose content would fit better, the mean of both ways.
    """

    item: int
    better: float


@dataclass(frozen=True)
class Comparison:
    """Two kinds of content of a catalogue.

    Attributes:
        kinds: the two.
        items: how many items were looked at.
        total: how many items have both.
        known: whether the kinds tell enough of one another that unlike contents show.
        found: items whose contents are unlike, the worst first; none where that would not show.
    """

    kinds: tuple[str, str]
    items: int
    total: int
    known: bool
    found: list[Mismatch]


def mismatches(inputs: Inputs, seed: int) -> list[Comparison]:
    """Every two kinds of content that share no column, and that at least a hundred items have both.

    Args:
        inputs: all modalities; those of a kind count together.
        seed: draws the items that are looked at, those that they are compared with, and the folds.
    """
    groups = members_by_kind(inputs)
    columns = {k: frozenset().union(*(inputs[m].columns for m in members)) for k, members in groups.items()}
    found = []
    for a, b in combinations(groups, 2):
        if columns[a] & columns[b]:
            continue
        there = [np.any([inputs[m].valid for m in groups[kind]], axis=0) for kind in (a, b)]
        both = np.flatnonzero(there[0] & there[1])
        if len(both) >= _FEWEST:
            items = np.random.default_rng(seed).permutation(both)[:_MOST]
            views = [_one_view({m: inputs[m].rows(items) for m in groups[kind]}) for kind in (a, b)]
            better = (_better(views[0], views[1]) + _better(views[1], views[0])) / 2
            found.append(_comparison((a, b), items, len(both), better))
    return found


def _comparison(kinds: tuple[str, str], items: NDArray[np.int64], total: int, better: Doubles) -> Comparison:
    known = bool(np.median(better) <= _KNOWN)
    places = np.flatnonzero(better > UNLIKE).tolist() if known else []
    found = [Mismatch(int(items[place]), float(better[place])) for place in places]
    found.sort(key=lambda mismatch: (-round(mismatch.better, 6), mismatch.item))
    return Comparison(kinds, len(items), total, known, found)


def _one_view(views: Inputs) -> Doubles:
    """The principal components of all views of a kind side by side, float64 `[n, d]`, d at most 256."""
    parts, _ = view_parts({m: source for m, source in views.items() if source.valid.any()})
    rows = np.hstack(list(parts.values())).astype(np.float64)
    if rows.shape[1] <= _COMPONENTS:
        return rows
    rows -= rows.mean(axis=0)
    return np.asarray(rows @ principal_axes(rows.T @ rows, _COMPONENTS)[1])


def _better(known: Doubles, wanted: Doubles) -> Doubles:
    """For each item the share of others whose wanted view is nearer, by cosine, to the guess of its own.

    Args:
        known: float64 `[n, d]`, in random order: folds and the others are taken as they come.
        wanted: float64 `[n, e]`, of the same items.
    """
    fold = np.arange(len(known)) % _FOLDS
    guess, truth = np.empty_like(wanted), np.empty_like(wanted)
    for number in range(_FOLDS):
        own, rest = fold == number, fold != number
        means = known[rest].mean(axis=0), wanted[rest].mean(axis=0)
        guess[own] = (known[own] - means[0]) @ regression(known[rest] - means[0], wanted[rest] - means[1])
        truth[own] = wanted[own] - means[1]
    unit, true = unit_rows(guess.astype(np.float32)), unit_rows(truth.astype(np.float32))
    own_cosine = np.einsum("ij,ij->i", unit, true)[:, None] + 1e-6  # equal contents differ by rounding
    blocks = [slice(start, start + _BLOCK) for start in range(0, len(unit), _BLOCK)]
    return np.concatenate(
        [(unit[rows] @ true[:_OTHERS].T > own_cosine[rows]).mean(axis=1) for rows in blocks]
    )
