"""How strongly views are whitened, found from content alone.

What whitening is good for is told by a view that it has not seen. In turn each view is hidden, and what is
alike in it stands for taste: the nearest items of an item are liked together. Half of them make a history,
and the vectors of the other views have to find the other half, as zero-shot recommendation would.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.alignment.consensus import (
    Marks,
    Parts,
    each_alone,
    joint_covariance,
    mean_eigenvalue,
)
from alignrec.core.vectors import largest, principal_axes, unit_rows

STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_SAMPLE = 4096  # items that are looked at
_TASTES = 400  # items of a view whose nearest are a taste
_LIKED = 20
_FOUND = 20

Columns = Mapping[str, frozenset[str]]


def choose_strength(
    parts: Parts, valid: Marks, seed: int, columns: Columns | None = None, *, together: bool = True
) -> float:
    """The strength of `Consensus` that finds hidden tastes best.

    Of strengths within a standard error of the best (of the paired difference over tastes) the largest is
    chosen: to blow up what varies little must show itself to be worth it. So it is where no view can be
    hidden.

    Args:
        parts: for each view float `[n, d]`, centred, rows of zeros where it is missing.
        valid: for each view bool `[n]`.
        seed: draws the items and the tastes.
        columns: of the catalogue that each view is made of; views that share one do not judge one another.
        together: whether the views are whitened together; else each alone.
    """
    recalls = taste_recalls(parts, valid, seed, columns, together=together)
    if not len(recalls):
        return STRENGTHS[-1]
    best = recalls[:, int(recalls.mean(axis=0).argmax())]
    behind = best[:, None] - recalls
    error = behind.std(axis=0) / np.sqrt(len(recalls))
    return STRENGTHS[int(np.flatnonzero(behind.mean(axis=0) <= error).max())]


def taste_recalls(
    parts: Parts, valid: Marks, seed: int, columns: Columns | None = None, *, together: bool = True
) -> NDArray[np.float64]:
    """Recall@20 of hidden tastes at each strength: float64 `[tastes, strengths]`, of all hidden views.

    Arguments are those of `choose_strength`.
    """
    rng = np.random.default_rng(seed)
    items = len(next(iter(valid.values())))
    chosen = np.sort(rng.choice(items, min(_SAMPLE, items), replace=False))
    parts = {m: part[chosen] for m, part in parts.items()}
    valid = {m: marks[chosen] for m, marks in valid.items()}
    found = [np.zeros((0, len(STRENGTHS)))]
    for hidden in parts:
        shown = [m for m in parts if m != hidden and not share_columns(columns, m, hidden)]
        usable = valid[hidden] & np.any([valid[m] for m in shown], axis=0) if shown else np.zeros(0)
        if usable.sum() <= 2 * _LIKED:
            continue
        tastes = _tastes(parts[hidden][usable], rng)
        rest = {m: parts[m][usable] for m in shown}
        covariance = joint_covariance(rest, {m: valid[m][usable] for m in shown})
        if not together:
            covariance = each_alone(covariance, [part.shape[1] for part in rest.values()])
        size, axes = principal_axes(covariance, len(covariance))
        # What an item lacks stays zero here, which is quick; each strength would tell it otherwise.
        rotated = np.hstack(list(rest.values())) @ axes
        ridges = [strength * mean_eigenvalue(covariance) for strength in STRENGTHS]
        recalls = [_recall(rotated / np.sqrt(np.maximum(size, 0) + ridge), tastes) for ridge in ridges]
        found.append(np.stack(recalls, axis=1))
    return np.concatenate(found)


def share_columns(columns: Columns | None, a: str, b: str) -> bool:
    """Whether two views are made of a common column of the catalogue."""
    if not columns:
        return False
    return bool(columns.get(a, frozenset()) & columns.get(b, frozenset()))


def _tastes(hidden: NDArray[np.floating], rng: np.random.Generator) -> NDArray[np.int64]:
    """The nearest items of some items, int64 `[tastes, liked]`; of equally near ones chance decides."""
    unit = unit_rows(hidden.astype(np.float32))
    centres = rng.permutation(len(unit))[:_TASTES]
    alike = unit[centres] @ unit.T
    return largest(alike + 1e-5 * rng.random(alike.shape), _LIKED)


def _recall(vectors: NDArray[np.float64], tastes: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of each taste's second half that its first half finds, float64 `[tastes]`."""
    history, wanted = tastes[:, ::2], tastes[:, 1::2]
    unit = unit_rows(vectors.astype(np.float32))
    scores = unit_rows(unit[history].mean(axis=1)) @ unit.T
    np.put_along_axis(scores, history, -np.inf, axis=1)
    found = largest(scores, _FOUND)
    return np.asarray((found[:, :, None] == wanted[:, None, :]).any(axis=1).mean(axis=1))
