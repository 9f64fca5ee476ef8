"""Items that are far from every other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from alignrec.aligner.quality.distances import Distances
from alignrec.aligner.quality.duplicates import NEARLY_EQUAL

# Tukey's fence (Exploratory Data Analysis, 1977): of values that are normal it leaves 4 in a thousand above.
_FENCE = 1.5


@dataclass(frozen=True)
class Outlier:
    """An item far from every other.

    Attributes:
        item: its row in the catalogue.
        nearest: that of the item nearest to it.
        distance: between them, not squared: 1 for two random items.
    """

    item: int
    nearest: int
    distance: float


def outliers(distances: Distances) -> list[Outlier]:
    """Items whose nearest is farther than the upper fence of what is usual, the farthest first.

    Items that have an equal do not count towards what is usual: where many have one, everything else would
    be far.
    """
    first = np.sqrt(distances.squares[:, 0])
    usual = first[(distances.squares[:, 0] > NEARLY_EQUAL) & np.isfinite(first)]
    if not len(usual):
        return []
    low, high = np.quantile(usual, [0.25, 0.75])
    far = np.flatnonzero((first > high + _FENCE * (high - low)) & np.isfinite(first))
    found = [
        Outlier(int(distances.rows[place]), int(distances.nearest[place, 0]), float(first[place]))
        for place in far
    ]
    return sorted(found, key=lambda outlier: (-round(outlier.distance, 6), outlier.item))
