"""Lists of recommended items that another system wrote: under the rules of the ranking, and measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.metrics import hits, measure
from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class RankedLists:
    """Who is recommended what, in which order: entry j recommends `item[j]` to `user[j]`.

    Attributes:
        user: int64 `[n]`, indices of a split's users, ascending.
        item: int64 `[n]`, indices of its items, each user's best first.
    """

    user: Ints
    item: Ints

    def repeated(self) -> Ints:
        """The entries that name an item a second time in one list, int64 `[·]`."""
        order = np.lexsort((self.item, self.user))  # stable: of equal entries the first one comes first
        again = np.zeros(len(order), dtype=np.bool_)
        again[1:] = (np.diff(self.user[order]) == 0) & (np.diff(self.item[order]) == 0)
        return np.sort(order[again])

    def trained_on(self, evaluator: Evaluator) -> Ints:
        """The entries whose item is in the user's training history, int64 `[·]`."""
        return np.flatnonzero(self._among(evaluator, TRAIN))

    def ranked(self, evaluator: Evaluator) -> Ints:
        """The lists as an evaluation ranks: without what may not be recommended, cut at the largest k.

        What may not is an item that is no candidate, and where the evaluator leaves validation positives out
        of the ranking at test, such a positive.

        Returns:
            int64 `[users, largest k]`, -1 behind a list's end and for users without a list.
        """
        split, width = evaluator.split, max(evaluator.ks)
        keep = split.recommended[self.item]
        if evaluator.exclude_valid:
            keep &= ~self._among(evaluator, VALID)
        user, item = self.user[keep], self.item[keep]
        counts = np.bincount(user, minlength=split.users)
        place = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
        lists = np.full((split.users, width), -1, dtype=np.int64)
        shown = place < width
        lists[user[shown], place[shown]] = item[shown]
        return lists

    def _among(self, evaluator: Evaluator, part: int) -> NDArray[np.bool_]:
        split = evaluator.split
        known = split.label == part
        pairs = split.user[known] * split.items + split.item[known]
        return np.isin(self.user * split.items + self.item, pairs)


def possible_lengths(evaluator: Evaluator) -> Ints:
    """How long each user's list is when nothing is missing: the largest k, or all that may be recommended.

    Returns:
        int64 `[users]`.
    """
    split = evaluator.split
    seen = (TRAIN, VALID) if evaluator.exclude_valid else (TRAIN,)
    left_out = np.isin(split.label, seen) & split.recommended[split.item]
    taken = np.bincount(split.user[left_out], minlength=split.users)
    return np.minimum(max(evaluator.ks), int(split.recommended.sum()) - taken).astype(np.int64)


def evaluate_lists(lists: Ints, evaluator: Evaluator) -> Evaluation:
    """Lists on test; a user without a list finds nothing.

    Args:
        lists: int64 `[users, k]`, as `RankedLists.ranked` has them.
        evaluator: of the run.
    """
    positives = evaluator.split.matrix(TEST)
    count = np.diff(positives.indptr).astype(np.int64)
    users = np.flatnonzero(count)
    found = hits(lists[users], users, positives)
    return Evaluation(users, measure(found, count[users], evaluator.ks))
