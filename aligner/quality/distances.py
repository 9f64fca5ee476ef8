"""How far items are from those nearest to them, in a measure that means the same under any model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.neighbours import nearest
from alignrec.core.vectors import unit_rows

NEAREST = 10
FEWEST = 20  # items that something can be said by
# Comparisons that are made at most: every item of 16,384 with every other, or a sample of more with all.
_COMPARED = 1 << 28


@dataclass(frozen=True, eq=False)
class Distances:
    """The items nearest to each of a sample, in one modality.

    Distances are squared, of vectors of length 1, as a share of what they are on average between two items
    of the catalogue: 0 for equal vectors and 1 for two drawn at random, whatever the model.

    Attributes:
        rows: int64 `[q]`, the items that were looked at, ascending: all, or a sample.
        nearest: int64 `[q, 10]`, the items of the catalogue nearest to each; -1 where there are no more.
        squares: float32 `[q, 10]`, their distances; infinite where there are no more.
        total: how many items have the modality.
    """

    rows: NDArray[np.int64]
    nearest: NDArray[np.int64]
    squares: NDArray[np.float32]
    total: int


def measure_distances(
    matrix: NDArray[np.float32], valid: NDArray[np.bool_], seed: int, most: int = _COMPARED
) -> Distances | None:
    """How far items are from their nearest.

    Args:
        matrix: float32 `[n, d]`, a modality's vectors.
        valid: bool `[n]`, the items that have one.
        seed: draws the sample, where the catalogue is too large for all to be compared with all.
        most: comparisons that may be made.

    Returns:
        None where fewer than 20 items have the modality.
    """
    unit = unit_rows(matrix) * valid[:, None]
    there = np.flatnonzero(unit.any(axis=1))
    if len(there) < FEWEST:
        return None
    size = max(FEWEST, most // len(there))
    rows = np.sort(np.random.default_rng(seed).permutation(there)[:size])
    graph = nearest(unit[rows], unit, NEAREST + 1)
    items = np.full((len(rows), NEAREST), -1, dtype=np.int64)
    squares = np.full((len(rows), NEAREST), np.inf, dtype=np.float32)
    random = _random_pair(unit[there])
    # Among many equal items, an item need not be one of its own nearest.
    place = np.repeat(np.arange(len(rows)), np.diff(graph.indptr))
    others = graph.indices != rows[place]
    place, found, cosines = place[others], graph.indices[others], graph.data[others]
    order = np.lexsort((-cosines, place))
    rank = np.arange(len(order)) - np.searchsorted(place, place)
    order, place, rank = (some[rank < NEAREST] for some in (order, place, rank))
    items[place, rank] = found[order]
    squares[place, rank] = np.maximum(1 - cosines[order], 0) / random
    return Distances(rows, items, squares, len(there))


def _random_pair(unit: NDArray[np.float32]) -> float:
    """1 less the mean cosine of two different rows, float32 `[n, d]`; tiny where all are equal."""
    n = len(unit)
    total = float(np.square(unit.sum(axis=0, dtype=np.float64)).sum())
    return max(1 - (total - n) / (n * (n - 1)), 1e-6)
