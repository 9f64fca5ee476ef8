"""The split of a run on disk: what is written is read again, to the dtype."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from alignrec.aligner.evaluate.splits import Split
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit

ITEMS = ["a", "b", "c"]


def cut() -> CatalogueSplit:
    user, item = np.array([0, 0, 1]), np.array([0, 2, 0])
    return CatalogueSplit.of(Split(2, 3, user, item, np.array([0, 1, 2], dtype=np.uint8)), ["u", "v"], ITEMS)


def test_only_items_with_interactions_are_recommended() -> None:
    assert cut().split.recommended.tolist() == [True, False, True]


def test_the_table_has_ids() -> None:
    assert cut().table().to_pylist() == [
        {"user_id": "u", "item_id": "a", "label": 0},
        {"user_id": "u", "item_id": "c", "label": 1},
        {"user_id": "v", "item_id": "a", "label": 2},
    ]


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    cut().write(tmp_path)
    again = CatalogueSplit.read(tmp_path, ITEMS)
    assert again.user_ids == ["u", "v"] and again.item_ids == ITEMS
    assert (again.split.users, again.split.items) == (2, 3)
    for name in ("user", "item", "label", "candidates"):
        before, after = getattr(cut().split, name), getattr(again.split, name)
        assert np.array_equal(before, after) and before.dtype == after.dtype
