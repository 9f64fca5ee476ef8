"""Which columns can colour a map."""

from __future__ import annotations

import numpy as np

from alignrec.pipeline.report.colouring import group_values


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
