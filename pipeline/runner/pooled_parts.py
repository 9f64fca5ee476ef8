"""One vector of what an item has several of: the pictures or the texts of a modality."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignrec.core.vectors import unit_rows


def pool_parts(
    vectors: NDArray[np.float32], items: NDArray[np.int64]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """A vector an item: its own where it has one, else the mean of the unit vectors, as long as they are.

    The mean of unit vectors is what of several directions is nearest to all; it is made as long as the
    vectors are in the mean, since it stands beside vectors of items that have one.

    Args:
        vectors: float32 `[m, d]`.
        items: int64 `[m]`, the item of each; those of an item follow one another.

    Returns:
        float32 `[n, d]`, and the items, int64 `[n]`, in their order.
    """
    starts = np.flatnonzero(np.diff(items, prepend=items[:1] - 1))
    counts = np.diff(starts, append=len(items))
    pooled = vectors[starts].copy()
    several = np.flatnonzero(counts > 1)
    if len(several):
        lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
        mean_lengths = np.add.reduceat(lengths, starts)[several] / counts[several]
        sums = np.add.reduceat(unit_rows(vectors).astype(np.float64), starts, axis=0)[several]
        norms = np.linalg.norm(sums, axis=1)
        scale = np.divide(mean_lengths, norms, out=np.zeros_like(norms), where=norms > 0)
        pooled[several] = (sums * scale[:, None]).astype(np.float32)
    return pooled, items[starts]
