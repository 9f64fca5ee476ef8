"""The zero-shot term: how like an item's content is to that of what the user took, beside the cosine.

What training makes of content passes through ID vectors, which know little where interactions are few. The
score of the zero-shot protocol needs no training at all, so a weight of it that validation chooses is added
to the cosine. As columns of the vectors it is part of their dot product, wherever that is taken, and of the
cosines of items with one another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp

from alignrec.aligner.train.validation import Floats
from alignrec.core.vectors import unit_rows


@dataclass(frozen=True, eq=False)
class ZeroShotTerm:
    """The directions whose cosine the zero-shot protocol ranks by (arXiv 2403.12384).

    Attributes:
        user: float32 `[users, e]`, of the mean of what a user took; zeros without content.
        item: float32 `[items, e]`, of each item's content; zeros without content.
    """

    user: Floats
    item: Floats

    @classmethod
    def of(cls, content: Floats, history: sp.csr_array) -> ZeroShotTerm:
        """The term of a training history.

        Args:
            content: float32 `[items, e]`, centred, unit rows or zeros.
            history: CSR of ones `[users, items]`.
        """
        return cls(unit_rows(history @ content), content)

    def columns(self, user: Floats, item: Floats, weight: float) -> tuple[Floats, Floats]:
        """Vectors, `[users, d]` and `[items, d]`, with `e` more columns that multiply to the weighted score.

        Both sides have the root of the weight, so that items are as like one another as users are like items.
        A weight of 0 adds none.
        """
        if not weight:
            return user, item
        return np.hstack([user, columns_of(self.user, weight)]), np.hstack(
            [item, columns_of(self.item, weight)]
        )


def columns_of(directions: Floats, weight: float) -> Floats:
    """One side's columns of the term, float32 `[n, e]`, of its directions, unit rows or zeros."""
    columns: Floats = np.float32(math.sqrt(weight)) * directions
    return columns
