"""Shards: their boundaries, their names, their files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.runner.shards import MAX_ITEMS, ShardResult, plan, read_shard, read_tokens, write_shard


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text(min_size=1), min_size=2, max_size=2000, unique=True), st.data())
def test_an_item_that_comes_goes_or_changes_touches_its_own_shard_alone(
    ids: list[str], data: st.DataObject
) -> None:
    inputs = [Input(i, n, "d", None) for n, i in enumerate(ids)]
    before = [shard.key for shard in plan(inputs, {})]
    where = data.draw(st.integers(0, len(ids) - 1))
    changed = [*inputs]
    changed[where] = Input(ids[where], where, "other", None)
    after = [shard.key for shard in plan(changed, {})]
    assert len(set(before) - set(after)) == 1
    assert len(before) == len(after)
    if len(ids) < MAX_ITEMS:
        fewer = {shard.key for shard in plan(inputs[:where] + inputs[where + 1 :], {})}
        assert len(set(before) - fewer) <= 2
    assert not {shard.key for shard in plan(inputs, {"model": "other"})} & set(before)


def test_shards_hold_on_average_as_many_items_as_meant() -> None:
    shards = plan([Input(str(n), n, "d", None) for n in range(20_000)], {})
    assert 90 < 20_000 / len(shards) < 160
    assert [i.row for shard in shards for i in shard.inputs] == list(range(20_000))


def test_a_shard_file_gives_back_what_was_written(tmp_path: Path) -> None:
    result = ShardResult(["a", "nan"], np.arange(6, dtype=np.float32).reshape(2, 3), [None, "x"], [None, "y"])
    write_shard(tmp_path / "s.arrow", result)
    again = read_shard(tmp_path / "s.arrow")
    assert again.item_ids == ["a", "nan"]
    assert again.vectors.tolist() == result.vectors.tolist()
    assert (again.reasons, again.details) == ([None, "x"], [None, "y"])


@pytest.mark.parametrize("rows", [0, 1, 3])
@pytest.mark.parametrize("tokens", [True, False])
def test_a_shard_of_which_all_was_rejected_keeps_its_widths(tmp_path: Path, rows: int, tokens: bool) -> None:
    ids, nothing = [str(n) for n in range(rows)], np.zeros((0, 7), dtype=np.float16)
    vectors = np.zeros((rows, 5), dtype=np.float32)
    reasons: list[str | None] = ["truncated"] * rows
    path = tmp_path / "a.arrow"
    write_shard(path, ShardResult(ids, vectors, reasons, reasons, [nothing] * rows if tokens else None))
    result = read_shard(path)
    assert result.vectors.shape == (rows, 5) and result.vectors.dtype == np.float32
    assert (list(result.item_ids), result.reasons, result.details) == (ids, reasons, reasons)
    values, lengths, of_tokens = read_tokens(path)
    assert len(values) == 0 and values.dtype == np.float16
    assert (values.shape[1] == 7) or not (tokens and rows)
    assert lengths.tolist() == [0] * rows and lengths.dtype == np.int64 and of_tokens == ids
