"""Visual codes of patches: k-means on the tokens of a frozen image model, laid over the patches' grid.

BEiT-3 predicts the codes of BEiT v2's tokenizer, a network trained for it; where there is none, k-means on a
teacher's tokens is the stand-in (arXiv 2106.08254 compares tokenizers; HuBERT, arXiv 2106.07447, learns from
k-means).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError

TOKENS_A_CODE = 40  # that k-means wants at the least
_MOST_EXTRA = 16  # tokens before those of the grid: [CLS], registers


def on_patches(tokens: NDArray[np.float32], grid: int) -> NDArray[np.float32]:
    """A teacher's tokens as features of patches, interpolated between the middles of its own.

    Args:
        tokens: float32 `[b, t, d]`; the last g × g of them are its grid's, row by row, with the largest g.
        grid: patches along a side.

    Returns:
        float32 `[b, grid · grid, d]`.

    Raises:
        FeatureError: the tokens make no square grid.
    """
    side = math.isqrt(tokens.shape[1])
    extra = tokens.shape[1] - side**2
    if side < 2 or extra > _MOST_EXTRA:
        raise FeatureError(
            f"the teacher gives {tokens.shape[1]} tokens a picture, which make no square grid: choose "
            "another finetune.teacher"
        )
    if side == grid:
        return np.ascontiguousarray(tokens[:, extra:])
    maps = torch.from_numpy(tokens[:, extra:]).transpose(1, 2).reshape(len(tokens), -1, side, side)
    spread = torch.nn.functional.interpolate(maps, (grid, grid), mode="bilinear", align_corners=False)
    return np.ascontiguousarray(spread.flatten(2).transpose(1, 2).numpy())


def draw_sample(pictures: int, patches: int, codes: int, seed: int) -> list[NDArray[np.int64]]:
    """The patches of each picture that k-means learns from: 40 a code, from as many pictures as there are.

    Returns:
        For each picture the numbers of its patches, int64, ascending; none of most pictures where there are
        many.

    Raises:
        FeatureError: all pictures together have too few patches for so many codes.
    """
    wanted = TOKENS_A_CODE * codes
    if wanted > pictures * patches:
        raise FeatureError(
            f"finetune.codes: {codes:,} visual codes are told apart by {wanted:,} patches at least, and "
            f"{pictures:,} pictures have {pictures * patches:,}: use at most "
            f"{pictures * patches // TOKENS_A_CODE:,}"
        )
    rng = np.random.default_rng(seed)
    each = min(patches, max(math.ceil(wanted / pictures), math.ceil(patches / 4)))
    chosen = set(rng.permutation(pictures)[: math.ceil(wanted / each)].tolist())
    return [
        np.sort(rng.choice(patches, each, replace=False))
        if picture in chosen
        else np.zeros(0, dtype=np.int64)
        for picture in range(pictures)
    ]
