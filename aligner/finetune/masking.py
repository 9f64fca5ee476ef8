"""What is hidden of a picture's patches and of a text's word pieces.

The shares are those of BEiT-3 (Wang et al., arXiv 2208.10442, section 2.2): 40% of a picture's patches, in
blocks; of a text's word pieces 50% where it goes with a picture, 15% where it stands alone.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

OF_A_PICTURE, OF_A_PAIR_S_TEXT, OF_A_TEXT_ALONE = 0.4, 0.5, 0.15
_SMALLEST = 16 / 196  # block, as a share of the patches: 16 of the 14 × 14 of BEiT
_NARROWEST = 0.3  # side of a block to its other


def hide_blocks(rows: int, columns: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The hidden patches of one picture: blocks at random, as in algorithm 1 of BEiT (arXiv 2106.08254).

    The last block that would hide too many is taken in part, at random, so that the number is always the
    same: 40% of the patches, rounded.

    Returns:
        bool `[rows · columns]`, row by row.
    """
    count = round(OF_A_PICTURE * rows * columns)
    smallest = max(1, round(_SMALLEST * rows * columns))
    hidden = np.zeros((rows, columns), dtype=np.bool_)
    while (left := count - int(hidden.sum())) > 0:
        area = rng.uniform(smallest, max(smallest, left))
        side = math.exp(rng.uniform(math.log(_NARROWEST), -math.log(_NARROWEST)) / 2)
        height = min(rows, max(1, round(math.sqrt(area) * side)))
        width = min(columns, max(1, round(math.sqrt(area) / side)))
        top, start = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
        block = np.zeros_like(hidden)
        block[top : top + height, start : start + width] = True
        new = np.flatnonzero(block & ~hidden)
        hidden.flat[new if len(new) <= left else rng.choice(new, left, replace=False)] = True
    return hidden.reshape(-1)


def hide_words(
    lengths: NDArray[np.int64], share: float, rng: np.random.Generator, width: int
) -> NDArray[np.bool_]:
    """The hidden word pieces of texts, whose first and last piece only begin and end them.

    A text hides its share of pieces rounded down or up, by chance so that the mean is exact: the shortest
    ones may hide none.

    Args:
        lengths: int64 `[b]`, ids of each text, the first and the last among them.
        share: of the pieces between those.
        rng: draws them.
        width: of the padded ids.

    Returns:
        bool `[b, width]`.
    """
    inner = np.maximum(lengths - 2, 0)
    counts = np.floor(share * inner + rng.random(len(lengths))).astype(np.int64)
    places = np.arange(width)[None, :]
    noise = np.where((places >= 1) & (places <= inner[:, None]), rng.random((len(lengths), width)), np.inf)
    ranks = noise.argsort(axis=1).argsort(axis=1)
    return np.asarray(ranks < counts[:, None])
