"""Which items are shown, and how they are called."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.report.gallery import MAX_COLUMNS, choose, clip, read_entries


def test_items_with_most_interactions_are_shown() -> None:
    ids = [str(n) for n in range(10)]
    assert choose(ids, np.array([0, 5, 5, 1, 0, 0, 9, 0, 0, 0]), most=4).tolist() == [6, 1, 2, 3]
    assert choose(ids, None, most=4).tolist() == [0, 3, 6, 9]
    assert choose(ids, None).tolist() == list(range(10))


def test_items_that_are_named_are_shown_in_any_case() -> None:
    ids = [str(n) for n in range(10)]
    interactions = np.array([0, 5, 5, 1, 0, 0, 9, 0, 0, 0])
    assert choose(ids, interactions, named=[9, 1], most=4).tolist() == [6, 1, 2, 9]
    assert choose(ids, None, named=[2], most=4).tolist() == [0, 2, 5, 9]


@given(st.text(max_size=30), st.integers(2, 20))
def test_clipped_text_fits(text: str, longest: int) -> None:
    assert len(clip(text, longest)) <= longest
    assert clip(text, longest) == text or clip(text, longest).endswith("…")


def test_columns_are_no_more_where_each_row_has_keys_of_its_own(tmp_path: Path) -> None:
    names = [f"own {row}.{number}" for row in range(30) for number in range(20)]
    for rows in (5, 30):
        own = [dict.fromkeys(names[20 * row : 20 * row + 20], f"of {row}") for row in range(rows)]
        records = [
            {"item_id": f"i{n}", "title": f"Item {n}", "text": "words"} | more for n, more in enumerate(own)
        ]
        path = tmp_path / f"{rows}.jsonl"
        path.write_text("\n".join(map(json.dumps, records)))
        config = ItemsConfig(path=str(path), image=None, text="{text}")
        found = read_entries(config, ["i0", f"i{rows - 1}"], [1])
        columns = ["text", *names][:MAX_COLUMNS]
        assert found.columns == columns
        first, last, second = *found.items, found.rows[1]
        assert (first.title, last.title, second.title) == ("Item 0", f"Item {rows - 1}", "Item 1")
        assert (first.text, last.text, second.text) == ("words", "words", "words")
        for number, entry in ((0, first), (rows - 1, last), (1, second)):
            known = {"text": "words"} | dict.fromkeys(names[20 * number : 20 * number + 20], f"of {number}")
            assert entry.values == {column: known.get(column) for column in columns}
