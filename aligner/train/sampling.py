"""Draw what an epoch trains on: interactions in random order, and items that a user never touched."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.errors import SplitError
from alignrec.aligner.evaluate.splits import VALID, Split

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Pairs:
    """Interactions of a training step.

    Attributes:
        user: int64 `[n]`.
        item: int64 `[n]`.
    """

    user: Ints
    item: Ints


def trainable_part(history: sp.csr_array) -> sp.csr_array:
    """The interactions of all but users who touched everything: nothing can be drawn for those.

    Args:
        history: CSR of ones `[users, items]`.

    Returns:
        CSR of the same shape.
    """
    free = np.diff(history.indptr) < history.shape[1]
    part = sp.csr_array(sp.diags_array(free.astype(np.float32)) @ history)
    part.eliminate_zeros()
    return part


def check_trainable(trainable: sp.csr_array, split: Split, *, validates: bool = True) -> None:
    """See that there is something to train on, and something to stop by.

    Args:
        trainable: see `trainable_part`.
        split: of which it is.
        validates: whether validation says when to stop.

    Raises:
        SplitError: there is not.
    """
    if not trainable.nnz or (validates and not (split.label == VALID).any()):
        raise SplitError(
            "training needs interactions in train and in valid, and a user who has not touched every "
            "item: check split.ratios and split.k_core"
        )


def by_interaction(history: sp.csr_array, size: int, rng: np.random.Generator) -> Iterator[Pairs]:
    """All interactions once, in random order, `size` at a time."""
    owner = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
    order = rng.permutation(history.nnz)
    for start in range(0, history.nnz, size):
        part = order[start : start + size]
        yield Pairs(owner[part], history.indices[part].astype(np.int64))


def by_user(history: sp.csr_array, size: int, rng: np.random.Generator) -> Iterator[Pairs]:
    """All interactions once, those of a user together, users in random order.

    A batch holds whole users until it has at least `size` interactions.
    """
    counts = np.diff(history.indptr)
    users = rng.permutation(np.flatnonzero(counts))
    batch = (np.cumsum(counts[users]) - counts[users]) // size
    for part in np.split(users, np.flatnonzero(np.diff(batch)) + 1):
        rows = history[part]
        yield Pairs(np.repeat(part, np.diff(rows.indptr)), rows.indices.astype(np.int64))


def negatives(history: sp.csr_array, user: Ints, rng: np.random.Generator) -> Ints:
    """For each given user an item drawn uniformly among those that the user never touched.

    With a user's items p_0 < p_1 < …, the item of rank r among the others is r plus the number of j with
    p_j - j <= r: one binary search for all draws, and no draw is ever rejected.

    Args:
        history: CSR `[users, items]`, indices sorted.
        user: int64 `[n]`, none of whom has touched every item.
        rng: source of the ranks.

    Returns:
        int64 `[n]`.

    Raises:
        ValueError: a given user has touched every item.
    """
    users, items = history.shape
    counts = np.diff(history.indptr).astype(np.int64)
    if len(user) and counts[user].max() >= items:
        raise ValueError("a user has touched every item: there is nothing to draw")
    owner = np.repeat(np.arange(users), counts)
    starts = history.indptr[:-1].astype(np.int64)
    shifted = history.indices - (np.arange(history.nnz) - starts[owner])
    rank = rng.integers(items - counts[user])
    below = np.searchsorted(owner * items + shifted, user * items + rank, side="right")
    drawn: Ints = rank + below - starts[user]
    return drawn
