"""What linear alignment misses of each view when the others tell it, as an item that it never saw would show.

A regression misses less of the items it was fitted on than of others: what is left of those would be no
pattern for what is left of these. So items are dealt into folds, and each is told by a fit on the other folds
(cross-fitting, as in stacked generalisation; Wolpert, Neural Networks 1992).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.alignment.consensus import (
    Consensus,
    Doubles,
    Marks,
    Parts,
    joint_covariance,
    mean_eigenvalue,
)

_FOLDS = 5
_BLOCK = 4096  # items at once
Errors = dict[str, NDArray[np.float32]]


def linear_errors(
    consensus: Consensus, parts: Parts, valid: Marks, learned: NDArray[np.int64], rng: np.random.Generator
) -> Errors:
    """Each view's components less what the other views of the item tell of them.

    Args:
        consensus: its strength counts.
        parts: for each view float `[n, d]`, centred, rows of zeros where it is missing.
        valid: for each view bool `[n]`.
        learned: int64 `[l]`, the items that fits may see; the others are told by a fit on all of these.
        rng: deals the folds.

    Returns:
        For each view float32 `[n, d]`; zeros where it is missing or there is no other.
    """
    fold = np.full(len(next(iter(valid.values()))), -1)
    fold[learned] = rng.permutation(np.arange(len(learned)) % _FOLDS)
    out = {m: np.zeros(part.shape, dtype=np.float32) for m, part in parts.items()}
    for number in range(-1, _FOLDS):
        fitted = learned[fold[learned] != number]
        rows = {m: part[fitted] for m, part in parts.items()}
        covariance = joint_covariance(rows, {m: valid[m][fitted] for m in parts})
        fit = replace(consensus, covariance=covariance, _projections={})
        items = np.flatnonzero(fold == number)
        for m in parts:
            prediction_errors(fit, m, parts, valid, items, out[m])
    return out


def prediction_errors(
    fit: Consensus,
    wanted: str,
    parts: Parts,
    valid: Marks,
    items: NDArray[np.int64],
    out: NDArray[np.float32],
) -> None:
    """Write what is left of a view, after what a fit tells of it by the other views, into rows of `out`.

    Args:
        fit: the regression's covariance and strength.
        wanted: the view.
        parts: see `linear_errors`.
        valid: likewise.
        items: int64 `[b]`; of those without the view, or without another, nothing is written.
        out: float32 `[n, d]`.
    """
    others = [m for m in parts if m != wanted]
    marks = np.stack([valid[m][items] for m in others], axis=1) if others else np.zeros((len(items), 0), bool)
    usable = valid[wanted][items] & marks.any(axis=1)
    patterns, pattern_of = np.unique(marks[usable], axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        shown = [m for m, has in zip(others, pattern, strict=True) if has]
        coefficients = _coefficients(fit, shown, wanted)
        rows = items[usable][pattern_of.reshape(-1) == number]
        for start in range(0, len(rows), _BLOCK):
            some = rows[start : start + _BLOCK]
            known = np.hstack([parts[m][some] for m in shown])
            out[some] = parts[wanted][some] - known.astype(np.float64) @ coefficients


def _coefficients(fit: Consensus, shown: list[str], wanted: str) -> Doubles:
    """From the components of some views to those of another, as `Consensus.projection` has them."""
    view = np.repeat(list(fit.widths), list(fit.widths.values()))
    seen, hidden = np.isin(view, shown), view == wanted
    ridge = max(fit.strength * mean_eigenvalue(fit.covariance), 1e-12)
    known = fit.covariance[np.ix_(seen, seen)]
    return np.asarray(
        np.linalg.solve(known + ridge * np.eye(len(known)), fit.covariance[np.ix_(seen, hidden)])
    )
