"""Items whose vectors are nearly equal, in groups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.sparse.csgraph import connected_components

from alignrec.aligner.quality.distances import Distances

# A share of the squared distance of two random items. Measured with the default models on a clothing shop and
# on films, medians: a text without one of its words lies .006 and .013 from itself, without a letter .02, a
# picture saved anew as JPEG .0002 to .04, one cut at its edges .045 and more. Different pictures of the shop
# begin at .045; its texts that are up to .03 apart are of one product twice, or in another colour.
NEARLY_EQUAL = 0.03
# Where more items than this have an equal, the modality names kinds of items, as a department does.
_KINDS_OF_ITEMS = 0.5


@dataclass(frozen=True, eq=False)
class Group:
    """Items that are nearly equal, each to some other of them.

    Attributes:
        items: int64 `[m]`, ascending, at least two.
        distance: the largest of those that hold the group together.
    """

    items: NDArray[np.int64]
    distance: float


def names_kinds(distances: Distances) -> bool:
    """Whether most items have an equal, so that the modality tells kinds of items apart and not items."""
    return float((distances.squares[:, 0] <= NEARLY_EQUAL).mean()) > _KINDS_OF_ITEMS


def near_duplicates(distances: Distances, count: int) -> list[Group]:
    """Groups of nearly equal items, the most alike first.

    Args:
        distances: of one modality.
        count: items of the catalogue.
    """
    place, rank = np.nonzero(distances.squares <= NEARLY_EQUAL)
    a, b = distances.rows[place], distances.nearest[place, rank]
    squares = distances.squares[place, rank]
    links = sp.coo_array((np.ones(len(a), dtype=np.int8), (a, b)), shape=(count, count))
    _, label = connected_components(links, directed=False)
    largest: dict[int, float] = {}
    for group, square in zip(label[a].tolist(), squares.tolist(), strict=True):
        largest[group] = max(square, largest.get(group, 0.0))
    members = np.flatnonzero(np.isin(label, list(largest)))
    groups = [Group(members[label[members] == group], distance) for group, distance in largest.items()]
    return sorted(groups, key=lambda group: (round(group.distance, 6), int(group.items[0])))
