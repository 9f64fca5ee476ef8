"""How strongly whitening and telling are damped, found from content alone.

Some items are held out. Each of their views is hidden in turn, and the item is looked for by what is left of
it: its vector from the hidden view alone should be nearest to its vector from the other views, among all that
are held out. What is damped too little drowns in noise; too much hides what views share in small components.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.alignment.consensus import Doubles, Marks, Parts, joint_covariance, mean_eigenvalue

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_SAMPLE = 4096  # items that are looked at
_HELD_OUT = 0.2
_FEWEST = 20  # items that something can be said by
_WELL = 1 / 3  # of the way from chance to the first rank
_SURE = 5.0  # standard errors; a pair of views finds one another twice, and items are hubs for several

Columns = Mapping[str, frozenset[str]]


def choose_strength(parts: Parts, valid: Marks, seed: int, columns: Columns | None = None) -> float:
    """The strength of `Consensus` that finds held-out items best; one step more where few are found.

    Of strengths within a standard error of the best (of the paired difference over items) the largest counts:
    to blow up what varies little must show itself to be worth it. Where views tell little of one another,
    most of a vector is what a view alone knows, which nothing of this sort can judge, and the next larger
    strength is taken; the largest of all where no view can be hidden, or chance finds items as well.

    Args:
        parts: for each view float `[n, d]`, centred, rows of zeros where it is missing.
        valid: for each view bool `[n]`.
        seed: draws the items.
        columns: of the catalogue that each view is made of; views that share one do not find one another.
    """
    ranks = held_out_ranks(parts, valid, seed, columns)
    if not len(ranks):
        return STRENGTHS[-1]
    best = ranks[:, [int(ranks.mean(axis=0).argmin())]]
    if best.mean() > -_SURE * best.std() / np.sqrt(len(best)):
        return STRENGTHS[-1]
    behind = ranks - best
    error = behind.std(axis=0) / np.sqrt(len(ranks))
    level = int(np.flatnonzero(behind.mean(axis=0) <= error).max())
    if best.mean() > -_WELL:
        level += 1
    return STRENGTHS[min(level, len(STRENGTHS) - 1)]


def held_out_ranks(parts: Parts, valid: Marks, seed: int, columns: Columns | None = None) -> Doubles:
    """At which rank items are found by their other views, at each strength.

    Arguments are those of `choose_strength`.

    Returns:
        float64 `[searches, strengths]`, over all views that can be hidden: the logarithm of a rank over its
        mean by chance, less 1, so that -1 is found first and 0 is chance. Of equally near items the mean rank
        counts.
    """
    order = np.random.default_rng(seed).permutation(len(next(iter(valid.values()))))[:_SAMPLE]
    cut = round(_HELD_OUT * len(order))
    held_out, learned = order[:cut], order[cut:]
    covariance = joint_covariance(
        {m: part[learned] for m, part in parts.items()}, {m: marks[learned] for m, marks in valid.items()}
    )
    ridges: Doubles = mean_eigenvalue(covariance) * np.array(STRENGTHS)
    ends = np.cumsum([part.shape[1] for part in parts.values()])
    places = {m: np.arange(end - parts[m].shape[1], end) for m, end in zip(parts, ends, strict=True)}
    found = [np.zeros((0, len(STRENGTHS)))]
    for hidden in parts:
        shown = [m for m in parts if m != hidden and not share_columns(columns, m, hidden)]
        if not shown:
            continue
        sought = held_out[valid[hidden][held_out] & np.any([valid[m][held_out] for m in shown], axis=0)]
        if len(sought) < _FEWEST:
            continue
        rows = np.hstack([parts[m][sought] for m in shown]), parts[hidden][sought]
        given, wanted = np.concatenate([places[m] for m in shown]), places[hidden]
        found.append(_ranks(*rows, covariance, given, wanted, ridges))
    return np.concatenate(found)


def share_columns(columns: Columns | None, a: str, b: str) -> bool:
    """Whether two views are made of a common column of the catalogue."""
    if not columns:
        return False
    return bool(columns.get(a, frozenset()) & columns.get(b, frozenset()))


def _ranks(
    shown: NDArray[np.floating],
    hidden: NDArray[np.floating],
    covariance: Doubles,
    given: NDArray[np.int64],
    wanted: NDArray[np.int64],
    ridges: Doubles,
) -> Doubles:
    """At which ranks items are found, float64 `[items, ridges]` as `held_out_ranks` gives them.

    With C as in `Consensus` and s the ridge, let x be an item's shown components and y its hidden ones, and
    tell each from the other. (C + s)^-1 times the row that x makes is zero where it was told, so no row has
    to be whitened: the product of those of x and y is x A C_xy B y, with A = (C_xx + s)^-1 and
    B = (C_yy + s)^-1, and their squared lengths are x A x and y B y.
    """
    size, axes = np.linalg.eigh(covariance[np.ix_(given, given)])
    own_size, own_axes = np.linalg.eigh(covariance[np.ix_(wanted, wanted)])
    x, y = shown.astype(np.float64) @ axes, hidden.astype(np.float64) @ own_axes
    between = axes.T @ covariance[np.ix_(given, wanted)] @ own_axes
    ranks = []
    for ridge in ridges:
        a, b = np.maximum(size, 0) + max(ridge, 1e-12), np.maximum(own_size, 0) + max(ridge, 1e-12)
        length = np.sqrt(np.square(x) @ (1 / a))[:, None] * np.sqrt(np.square(y) @ (1 / b))
        alike = ((x / a) @ between) @ (y / b).T / np.maximum(length, 1e-12)
        own = np.diag(alike)[:, None]
        nearer, level = (alike > own).sum(axis=1), (alike == own).sum(axis=1)
        ranks.append(np.log(nearer + (level + 1) / 2))
    share: Doubles = np.stack(ranks, axis=1) / np.log(np.arange(1, len(x) + 1)).mean() - 1
    return share
