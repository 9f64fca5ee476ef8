"""Is there anything to align? What one view of an item tells of another, on items that were held out.

For each pair of views that share no column, and each direction: a ridge regression from one view's components
to the other's is fitted on four fifths of the items that have both. On the others it is measured how much of
the wanted view's variance it explains, and how often the item is found by what is told of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import permutations

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from alignrec.aligner.alignment.consensus import Doubles, Marks, Parts, mean_eigenvalue
from alignrec.aligner.alignment.strength import STRENGTHS, Columns, share_columns
from alignrec.aligner.alignment.views import members_by_kind, view_columns, view_parts
from alignrec.aligner.hardware import one_thread_if_small
from alignrec.aligner.inputs import Inputs
from alignrec.core.cross_view import CrossView, Direction
from alignrec.core.vectors import unit_rows

_HELD_OUT = 0.2
_FEWEST = 20  # held-out items that something can be said by
_MOST = 20_000  # items of a pair that are looked at
_BLOCK = 1024  # held-out items that are ranked at once
_SURE = 3.0  # standard errors


def cross_view(parts: Parts, valid: Marks, seed: int, columns: Columns | None = None) -> list[Direction]:
    """Every direction between views that share no column, and that enough items have both.

    Args:
        parts: for each view float `[n, d]`, components, rows of zeros where it is missing.
        valid: for each view bool `[n]`.
        seed: draws the held-out items; the same for both directions of a pair.
        columns: of the catalogue that each view is made of.
    """
    found = []
    for given, wanted in permutations(parts, 2):
        if share_columns(columns, given, wanted):
            continue
        both = np.random.default_rng(seed).permutation(np.flatnonzero(valid[given] & valid[wanted]))[:_MOST]
        cut = round(_HELD_OUT * len(both))
        if cut >= _FEWEST:
            x, y = (parts[m][both].astype(np.float64) for m in (given, wanted))
            found.append(_measured(given, wanted, (x[cut:], y[cut:]), (x[:cut], y[:cut])))
    return found


def measure_inputs(inputs: Inputs, seed: int) -> CrossView:
    """`cross_view` of a catalogue, the same on any number of threads, of modalities that some item has.

    Kinds of content come first, all modalities of a kind together: what pictures and texts tell of one
    another should not be looked for among what one text tells of the next.
    """
    given = {m: source for m, source in inputs.items() if source.valid.any()}
    kind_of = {m: source.kind or m for m, source in given.items()}
    with one_thread_if_small(0), threadpool_limits(1):
        parts, valid = view_parts(given)
        columns = view_columns(given)
        pairs = cross_view(parts, valid, seed, columns)
        kinds = cross_view(*_together(parts, valid, seed, columns, members_by_kind(given)))
    across = [d for d in pairs if kind_of[d.given] != kind_of[d.wanted]]
    ordered = dict.fromkeys([*kinds, *across, *pairs])
    return CrossView(sentence=sentence(pairs), directions=list(ordered))


def _together(
    parts: Parts, valid: Marks, seed: int, columns: Columns, groups: Mapping[str, list[str]]
) -> tuple[Parts, Marks, int, Columns]:
    """The same catalogue with a view a kind: `every KIND`, or the only one's own name."""
    named = {
        members[0] if len(members) == 1 else f"every {kind}": members for kind, members in groups.items()
    }
    return (
        {name: np.hstack([parts[m] for m in members]) for name, members in named.items()},
        {name: np.any([valid[m] for m in members], axis=0) for name, members in named.items()},
        seed,
        {name: frozenset().union(*(columns[m] for m in members)) for name, members in named.items()},
    )


def sentence(found: Sequence[Direction]) -> str:
    """Whether views tell anything of one another, in words."""
    if not found:
        return "nothing to align: no two modalities share enough items and no column"
    best = max(found, key=lambda direction: direction.explained)
    sure = [direction for direction in found if direction.sure and direction.explained > 0]
    if not sure:
        return (
            f"nothing to align: in none of {len(found)} directions does a modality tell anything of another"
        )
    return (
        f"in {len(sure)} of {len(found)} directions a modality tells something of another; most, "
        f"{best.explained:.1%} of the variance, {best.given} of {best.wanted}, whose item it finds among the "
        f"first ten of {best.items:,} in {best.found_10:.0%} of cases (chance: {best.chance_10:.1%})"
    )


def _measured(
    given: str, wanted: str, learned: tuple[Doubles, Doubles], held_out: tuple[Doubles, Doubles]
) -> Direction:
    means = [side.mean(axis=0) for side in learned]
    weights = regression(*(side - mean for side, mean in zip(learned, means, strict=True)))
    return measure_guess(given, wanted, (held_out[0] - means[0]) @ weights, held_out[1] - means[1])


def measure_guess(given: str, wanted: str, guess: Doubles, truth: Doubles) -> Direction:
    """How good guesses are.

    Args:
        given: what they were made from.
        wanted: what they are of.
        guess: float64 `[b, d]`.
        truth: float64 `[b, d]`, less the mean that whoever knows nothing would guess.
    """
    missed = float(np.square(truth - guess).sum()) / max(float(np.square(truth).sum()), 1e-12)
    ranks = _ranks(guess, truth)
    n = len(ranks)
    chance, error = (n + 1) / 2, np.sqrt((n * n - 1) / 12 / n)
    return Direction(
        given=given,
        wanted=wanted,
        items=n,
        explained=1 - missed,
        found_1=float((ranks < 2).mean()),
        found_10=float((ranks < 11).mean()),
        median_rank=float(np.median(ranks)),
        sure=bool(chance - ranks.mean() > _SURE * error),
    )


def regression(known: Doubles, wanted: Doubles) -> Doubles:
    """Ridge regression whose strength does best on the first quarter of the rows, fitted again on all."""
    cut = len(known) // 4
    errors = [
        float(np.square(known[:cut] @ weights - wanted[:cut]).sum())
        for weights in _fits(known[cut:], wanted[cut:], STRENGTHS)
    ]
    return _fits(known, wanted, [STRENGTHS[int(np.argmin(errors))]])[0]


def _fits(known: Doubles, wanted: Doubles, strengths: Sequence[float]) -> list[Doubles]:
    """The weights at each strength, in mean eigenvalues: one decomposition serves all."""
    covariance = known.T @ known / len(known)
    size, axes = np.linalg.eigh(covariance)
    turned = axes.T @ (known.T @ wanted / len(known))
    ridges = [max(strength * mean_eigenvalue(covariance), 1e-12) for strength in strengths]
    return [axes @ (turned / (np.maximum(size, 0) + ridge)[:, None]) for ridge in ridges]


def _ranks(guess: Doubles, truth: Doubles) -> NDArray[np.float64]:
    """The rank of each row's own truth by cosine, the first is 1; equal ones share their mean rank."""
    wanted = unit_rows(truth.astype(np.float32))
    out = np.zeros(len(guess))
    for start in range(0, len(guess), _BLOCK):
        rows = slice(start, start + _BLOCK)
        scores = unit_rows(guess[rows].astype(np.float32)) @ wanted.T
        own = np.take_along_axis(scores, np.arange(len(guess))[rows, None], axis=1)
        out[rows] = (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) + 1) / 2
    return out
