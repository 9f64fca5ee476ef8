"""How a run measures: one split, one set of cut-offs, one rule of what may be recommended."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.evaluate.evaluation import Evaluation, evaluate
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID, Split

Part = Literal["valid", "test"]
PARTS: dict[Part, int] = {"valid": VALID, "test": TEST}


@dataclass(frozen=True, eq=False)
class Evaluator:
    """Measures any recommender on a split, always in the same way.

    Attributes:
        split: the interactions, and the items that may be recommended.
        ks: cut-offs.
        exclude_valid: at test, whether validation positives are left out of the ranking; MMRec keeps them in.
    """

    split: Split
    ks: tuple[int, ...] = (10, 20)
    exclude_valid: bool = False

    @cached_property
    def history(self) -> sp.csr_array:
        """Training interactions, CSR of ones `[users, items]`."""
        return self.split.matrix(TRAIN)

    def evaluate(self, scorer: Scorer, part: Part) -> Evaluation:
        """A recommender's metrics on validation or on test.

        Raises:
            FeatureError: a score is NaN, or the scorer's shape is wrong.
        """
        return evaluate(scorer, self.split, PARTS[part], self.ks, exclude_valid=self.exclude_valid)

    def among(self, items: NDArray[np.bool_]) -> Evaluator:
        """The same, where only the items marked, bool `[items]`, are recommended and looked for.

        The training history stays whole.
        """
        split = self.split
        rows = (split.label == TRAIN) | items[split.item]
        narrowed = replace(
            split, user=split.user[rows], item=split.item[rows], label=split.label[rows], candidates=items
        )
        return replace(self, split=narrowed)
