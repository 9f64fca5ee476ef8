"""The rows of a matrix most similar to given vectors: exact, in blocks, never all pairs in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignrec.core.vectors import largest, unit_rows

# Rows of the matrix, and vectors, that meet at once.
_ROWS, _VECTORS = 1 << 14, 1 << 8


def most_similar(
    vectors: NDArray[np.float32],
    matrix: NDArray[np.float32],
    valid: NDArray[np.bool_],
    k: int,
    own: NDArray[np.int64] | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Each vector's `k` most similar valid rows by cosine, best first; of equal ones the first row.

    Memory beside the result is a block of the matrix and one of scores, whatever the numbers of both, so that
    a matrix mapped from disk stays there.

    Args:
        vectors: float32 `[m, d]`.
        matrix: float32 `[n, d]`.
        valid: bool `[n]`: the rows that may be found.
        k: at least 1; fewer come back where fewer rows may be found.
        own: int64 `[m]`, for each vector a valid row that it does not find: its own.

    Returns:
        Rows, int64 `[m, k]`, and their cosines, float32 `[m, k]`; 0 where either vector has no length.
    """
    count = max(0, min(k, int(valid.sum()) - (own is not None)))
    unit = unit_rows(vectors)
    best = np.full((len(unit), count), -1, dtype=np.int64)
    score = np.full((len(unit), count), -np.inf, dtype=np.float32)
    if not count:
        return best, score
    for start in range(0, len(matrix), _ROWS):
        block = unit_rows(matrix[start : start + _ROWS]).T
        absent = ~valid[start : start + _ROWS]
        for first in range(0, len(unit), _VECTORS):
            some = slice(first, first + _VECTORS)
            cosines = unit[some] @ block
            cosines[:, absent] = -np.inf
            if own is not None:
                place = own[some] - start
                inside = np.flatnonzero((place >= 0) & (place < block.shape[1]))
                cosines[inside, place[inside]] = -np.inf
            # What earlier rows gave stands first, and so wins where cosines are equal.
            both = np.hstack([score[some], cosines])
            chosen = largest(both, count)
            earlier = np.take_along_axis(best[some], np.clip(chosen, 0, count - 1), axis=1)
            here = np.where(chosen < count, earlier, chosen - count + start)
            best[some] = np.where(chosen < 0, -1, here)
            score[some] = np.where(chosen < 0, -np.inf, np.take_along_axis(both, chosen, axis=1))
    return best, score
