"""Which columns can colour a map."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from alignrec.pipeline.report.colouring import by_care, group_values


def test_columns_that_put_items_into_a_few_groups_can_colour() -> None:
    kinds = group_values("kind", ["b", "a", "b", None, ["a", "x"], "b"])
    assert kinds is not None
    assert (kinds.labels, kinds.codes, kinds.ordered) == (["b", "a"], [0, 1, 0, -1, 1, 0], False)
    prices = group_values("price", [*map(float, range(100)), None])
    assert prices is not None and prices.ordered
    assert prices.labels[0] == "0 – 18" and prices.codes[-1] == -1
    assert set(np.bincount(prices.codes[:-1])) <= {19, 20, 21}
    assert group_values("title", [f"thing {n}" for n in range(50)]) is None
    assert group_values("same", ["x"] * 50) is None
    assert group_values("empty", [None] * 50) is None


def test_what_users_care_about_comes_first() -> None:
    """Three users of two kinds: each has items of one kind, and of both sizes."""
    size = group_values("size", ["small", "large", "small", "large", "large", "small"])
    kind = group_values("kind", ["mug", "mug", "lamp", "lamp", None, "mug"])
    assert size is not None and kind is not None
    histories = sp.csr_array(np.array([[1, 1, 0, 0, 1, 0], [0, 0, 2, 1, 0, 0], [0, 1, 0, 0, 0, 1]]))
    first, second = by_care([size, kind], histories)
    assert (first.name, second.name) == ("kind", "size")
    # Pairs of a user that have a kind: 2 + 2 + 2, all of one; of 6 items 4 are mugs and 2 lamps.
    assert (first.care, first.times) == (1.0, pytest.approx(1 / ((4 / 6) ** 2 + (2 / 6) ** 2), abs=1e-4))
    # Of 6 + 2 + 2 pairs 2 have a size in common; of 7 items 3 are small and 4 large.
    assert second.times == pytest.approx(0.2 / ((3 / 7) ** 2 + (4 / 7) ** 2), abs=1e-4)
    assert second.care < 0


def test_nobody_cares_who_has_one_item() -> None:
    kind = group_values("kind", ["mug", "mug", "lamp"])
    assert kind is not None
    assert by_care([kind], sp.csr_array(np.eye(3))) == [kind]
