"""Who interacted with what, cut into train, validation and test.

Users and items are dense indices; callers keep the ids and the files. A cut labels every interaction `TRAIN`,
`VALID` or `TEST`, the numbers MMRec's `x_label` uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TextIO

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from alignrec.aligner.errors import SplitError

TRAIN, VALID, TEST = 0, 1, 2
# Of thinned histories, training interactions that nothing learns from; rankings leave them out like the rest.
HIDDEN = 3
Ints = NDArray[np.int64]
Labels = NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Split:
    """Interactions and the part each belongs to.

    Attributes:
        users: number of users; indices lie in `[0, users)`.
        items: number of items; indices lie in `[0, items)`, items that nobody touched included.
        user: int64 `[n]`.
        item: int64 `[n]`; no pair of user and item occurs twice.
        label: uint8 `[n]` of `TRAIN`, `VALID`, `TEST`, `HIDDEN`.
        candidates: bool `[items]`, the items that may be recommended; None for all.

    Raises:
        SplitError: lengths differ, an index or label is out of range, or a pair occurs twice.
    """

    users: int
    items: int
    user: Ints
    item: Ints
    label: Labels
    candidates: NDArray[np.bool_] | None = None

    def __post_init__(self) -> None:
        """Check that the parts belong together."""
        if not len(self.user) == len(self.item) == len(self.label):
            raise SplitError(
                f"a split needs as many users as items and labels, got {len(self.user)}, "
                f"{len(self.item)} and {len(self.label)}"
            )
        if self.candidates is not None and self.candidates.shape != (self.items,):
            raise SplitError(
                f"a split of {self.items} items needs as many marks of candidates, "
                f"got {self.candidates.shape}"
            )
        for name, values, limit in (
            ("user", self.user, self.users),
            ("item", self.item, self.items),
            ("label", self.label, HIDDEN + 1),
        ):
            if len(values) and not (values.min() >= 0 and values.max() < limit):
                raise SplitError(
                    f"a split's {name} must lie in [0, {limit}), got {values.min()} to {values.max()}"
                )
        if len(np.unique(self.user * self.items + self.item)) != len(self.user):
            raise SplitError("a pair of user and item occurs twice in a split: merge repeats first")

    @property
    def recommended(self) -> NDArray[np.bool_]:
        """The items that may be recommended, bool `[items]`."""
        return np.ones(self.items, dtype=np.bool_) if self.candidates is None else self.candidates

    def matrix(self, *labels: int) -> sp.csr_array:
        """The interactions of some parts, float32 CSR of ones `[users, items]`, indices sorted."""
        keep = np.isin(self.label, labels)
        ones = np.ones(int(keep.sum()), dtype=np.float32)
        matrix = sp.csr_array((ones, (self.user[keep], self.item[keep])), shape=(self.users, self.items))
        matrix.sort_indices()
        return matrix

    def thinned(self, share: float, seed: int) -> Split:
        """A split in which only a share of each user's training interactions is left, at least one.

        The others are hidden: nothing learns from them, and no ranking has them, of validation neither; else
        whoever ranks what the user liked would be punished for it as settings are chosen. A smaller share
        keeps a part of what a larger one keeps.

        Args:
            share: in (0, 1], rounded to whole interactions of a user, halves up.
            seed: draws what is kept; the same for the same rows in the same order.
        """
        train = np.flatnonzero(self.label == TRAIN)
        place, count = _place(self.user[train], np.random.default_rng(seed).random(len(train)))
        label = self.label.copy()
        label[train[place >= np.maximum(np.floor(count * share + 0.5), 1)]] = HIDDEN
        return replace(self, label=label)

    def undivided(self) -> Split:
        """The same interactions with none held out: all that is not hidden is there to learn from."""
        return replace(self, label=np.where(self.label == HIDDEN, HIDDEN, TRAIN).astype(np.uint8))

    def of_items(self, kept: NDArray[np.bool_]) -> Split:
        """The interactions with the items marked in `kept`, bool `[items]`, numbered among these alone."""
        rows = kept[self.item]
        place = np.cumsum(kept) - 1
        return Split(
            self.users,
            int(kept.sum()),
            self.user[rows],
            place[self.item[rows]],
            self.label[rows],
            None if self.candidates is None else self.candidates[kept],
        )


def k_core(user: Ints, item: Ints, k: int) -> NDArray[np.bool_]:
    """The largest part of a log in which every user and every item has at least `k` interactions.

    Args:
        user: int64 `[n]`, not negative.
        item: int64 `[n]`, not negative.
        k: at least 0; 0 and 1 keep everything.

    Returns:
        bool `[n]`: which interactions stay.
    """
    keep = np.ones(len(user), dtype=np.bool_)
    while True:
        few_users = np.bincount(user[keep], minlength=int(user.max(initial=-1)) + 1) < k
        few_items = np.bincount(item[keep], minlength=int(item.max(initial=-1)) + 1) < k
        drop = keep & (few_users[user] | few_items[item])
        if not drop.any():
            return keep
        keep &= ~drop


def split_random(user: Ints, ratios: Sequence[float], seed: int) -> Labels:
    """Each user's interactions at random into train, validation and test (the paper's 8:1:1).

    Validation and test get their share rounded to the nearest whole number (halves up), at least one each
    of users with three interactions or more. A user with two gives one to test; a user with one keeps it.

    Args:
        user: int64 `[n]`.
        ratios: of train, validation and test; they add up to 1.
        seed: the same seed gives the same labels for the same rows in the same order.

    Returns:
        uint8 `[n]`.

    Raises:
        SplitError: not three ratios that are positive for train, not negative, and add up to 1.
    """
    _check(ratios)
    noise = np.random.default_rng(seed).random(len(user))
    place, count = _place(user, noise)
    return _from_end(place, count, *(_share(count, ratio) for ratio in ratios[1:]))


def split_leave_one_out(user: Ints, timestamp: Ints | None, seed: int) -> Labels:
    """Each user's last interaction to test, the one before to validation, the others to train.

    A user with two gives one to test; a user with one keeps it in train.

    Args:
        user: int64 `[n]`.
        timestamp: int64 `[n]`; without it, the last is a random one.
        seed: decides among interactions of the same time.

    Returns:
        uint8 `[n]`.
    """
    noise = np.random.default_rng(seed).random(len(user))
    place, count = _place(user, noise) if timestamp is None else _place(user, timestamp, noise)
    one = np.ones_like(count)
    return _from_end(place, count, one, one)


def split_new_items(user: Ints, item: Ints, ratios: Sequence[float], seed: int) -> Labels:
    """Hold back all interactions of items drawn at random, as if they were new: for test, and for validation.

    A share of each user's other interactions goes to validation too: a training cannot learn when to stop
    from items that it does not know. All shares are rounded to the nearest whole number, at least one unless
    the ratio is 0. Users can be left without an interaction in train.

    Args:
        user: int64 `[n]`.
        item: int64 `[n]`.
        ratios: of train, validation and test, for items and for the users' others; they add up to 1.
        seed: the same seed gives the same labels for the same rows in the same order.

    Returns:
        uint8 `[n]`.

    Raises:
        SplitError: as `split_random`, or there are too few items for three parts.
    """
    _check(ratios)
    known, place = np.unique(item, return_inverse=True)
    valid, test = (int(_share(np.array(len(known)), ratio)) for ratio in ratios[1:])
    if len(known) and len(known) <= valid + test:
        raise SplitError(f"{len(known)} items are too few to hold {valid + test} of them back")
    of_item = np.zeros(len(known), dtype=np.uint8)
    order = np.random.default_rng(seed).permutation(len(known))
    of_item[order[:test]], of_item[order[test : test + valid]] = TEST, VALID
    label = of_item[place]
    others = label == TRAIN
    label[others] = split_random(user[others], (1 - ratios[1], ratios[1], 0.0), seed)
    return label


def split_temporal(timestamp: Ints, ratios: Sequence[float]) -> Labels:
    """Cut at two moments for all users, so that training never sees what came later.

    Interactions of one moment stay together, in the earlier part that reaches it; so parts can differ from
    their ratios, and validation and test can hold users and items that training does not.

    Args:
        timestamp: int64 `[n]`.
        ratios: of train, validation and test; they add up to 1.

    Returns:
        uint8 `[n]`.

    Raises:
        SplitError: as `split_random`.
    """
    _check(ratios)
    if not len(timestamp):
        return np.zeros(0, dtype=np.uint8)
    times = np.sort(timestamp)
    edges = np.floor(np.cumsum(ratios[:2]) * len(times) + 0.5).astype(np.int64)
    last = times[np.clip(edges - 1, 0, len(times) - 1)]
    return np.searchsorted(last, timestamp, side="left").astype(np.uint8)


def read_mmrec(lines: TextIO) -> Split:
    """A split in MMRec's `.inter` format: a tab-separated table with userID, itemID and x_label.

    Args:
        lines: the open file; other columns are ignored.

    Raises:
        SplitError: a column is missing, a value is no whole number, or the split contradicts itself.
    """
    header = lines.readline().rstrip("\r\n").split("\t")
    names = ("userID", "itemID", "x_label")
    if missing := [name for name in names if name not in header]:
        raise SplitError(
            f"an .inter file needs the columns {', '.join(names)}; missing: {', '.join(missing)}"
        )
    try:
        columns = [header.index(name) for name in names]
        table = np.loadtxt(lines, dtype=np.int64, delimiter="\t", usecols=columns, ndmin=2).reshape(-1, 3)
    except ValueError as error:
        raise SplitError(f"an .inter file's ids and labels must be whole numbers: {error}") from error
    user, item, label = table.T
    whole = np.iinfo(np.int64).max
    for name, column, most, expected in (
        ("userID", user, whole, "0 or more"),
        ("itemID", item, whole, "0 or more"),
        ("x_label", label, TEST, "0, 1 or 2"),
    ):
        wrong = np.flatnonzero((column < 0) | (column > most))
        if len(wrong):
            raise SplitError(
                f"{name} must be {expected}, which {len(wrong):,} of {len(column):,} rows are not, such as "
                f"row {wrong[0]:,}: {column[wrong[0]]}"
            )
    users, items = int(user.max(initial=-1)) + 1, int(item.max(initial=-1)) + 1
    return Split(users, items, user.copy(), item.copy(), label.astype(np.uint8))


def _check(ratios: Sequence[float]) -> None:
    if len(ratios) != 3 or min(ratios) < 0 or ratios[0] <= 0 or abs(sum(ratios) - 1) > 1e-6:
        raise SplitError(
            f"ratios must be those of train, validation and test and add up to 1, got {list(ratios)}"
        )


def _place(user: Ints, *keys: NDArray[np.generic]) -> tuple[Ints, Ints]:
    """Each row's place among its user's rows sorted by `keys` (first decides), and the user's count."""
    order = np.lexsort((*reversed(keys), user))
    counts = np.bincount(user)
    place = np.empty(len(user), dtype=np.int64)
    place[order] = np.arange(len(user)) - np.repeat(np.cumsum(counts) - counts, counts)
    return place, counts[user]


def _share(count: Ints, ratio: float) -> Ints:
    """A part's size for users of `count` interactions: rounded, at least one unless the ratio is 0."""
    size: Ints = np.floor(count * ratio + 0.5).astype(np.int64)
    return np.maximum(size, 1) if ratio > 0 else size


def _from_end(place: Ints, count: Ints, valid: Ints, test: Ints) -> Labels:
    """Label the last `test` rows of a user, and the `valid` before them, as far as there are enough.

    At least one interaction stays in train; test goes before validation when both do not fit.
    """
    test = np.minimum(test, count - 1)
    valid = np.minimum(valid, count - 1 - test)
    label = np.where(place >= count - test, TEST, np.where(place >= count - test - valid, VALID, TRAIN))
    return label.astype(np.uint8)
