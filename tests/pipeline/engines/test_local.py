from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import TextRejectedError
from alignrec.pipeline.catalog.items import Input
from alignrec.pipeline.engines.local import extract_shards
from alignrec.pipeline.runner.shards import MAX_ITEMS, Shard, ShardResult, plan, read_shard, write_shard


class Lengths(Extractor):
    """Embeds a text as its length and its first character; remembers the batches it saw."""

    def __init__(self, modality: str = "text") -> None:
        self.card = ExtractorCard("test:lengths", modality, None, "0" * 64, 2, 1, {}, None)
        self.batch_size = 4
        self.batches: list[list[str]] = []

    def prepare(self, value: Image.Image | str) -> Any:
        if value == "bad":
            raise TextRejectedError("bad", "it says so itself")
        return value

    def length(self, prepared: Any) -> int:
        return len(prepared)

    def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
        self.batches.append(list(prepared))
        return Embeddings(np.array([[len(p), ord(p[0])] for p in prepared], dtype=np.float32))


def _inputs(texts: Sequence[str]) -> list[Input]:
    return [Input(f"id{n}", n, text, text) for n, text in enumerate(texts)]


def _run(texts: Sequence[str], **options: Any) -> dict[str, ShardResult]:
    shards, saved = plan(_inputs(texts), {}), {}
    extractor = options.pop("extractor", None) or Lengths()

    def load(shard: Shard) -> list[Callable[[], str]]:
        return [lambda text=str(item.value): text for item in shard.inputs]  # type: ignore[misc]

    def save(shard: Shard, result: ShardResult) -> None:
        saved[shard.key] = result

    extract_shards(shards, load, extractor, save, batch_size=4, **options)
    assert list(saved) == [shard.key for shard in shards]
    return saved


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["a", "bb", "ccc", "bad", "dddddd"]), min_size=1, max_size=300))
def test_each_input_gets_its_own_vector_whatever_the_workers(texts: list[str]) -> None:
    for workers in (0, 2):
        for modality in ("text", "image"):
            results = _run(texts, workers=workers, extractor=Lengths(modality)).values()
            vectors = np.concatenate([r.vectors for r in results])
            reasons = [reason for r in results for reason in r.reasons]
            assert reasons == ["bad" if t == "bad" else None for t in texts]
            expected = [[0, 0] if t == "bad" else [len(t), ord(t[0])] for t in texts]
            assert vectors.tolist() == expected


def test_texts_are_batched_with_their_like_and_batches_stay_in_their_shard() -> None:
    extractor = Lengths()
    texts = ["x" * (n * 7 % 50 + 1) for n in range(MAX_ITEMS)]
    _run(texts, extractor=extractor)
    spread = [len(batch[-1]) - len(batch[0]) for batch in extractor.batches if len(batch) == 4]
    assert np.mean(spread) < 5


def test_an_error_of_the_model_or_the_disk_stops_the_run_at_once() -> None:
    class Broken(Lengths):
        def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        _run(["a"] * 50, extractor=Broken())
    assert threading.active_count() < 10


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


def test_a_shard_file_gives_back_what_was_written(tmp_path: Any) -> None:
    result = ShardResult(["a", "nan"], np.arange(6, dtype=np.float32).reshape(2, 3), [None, "x"], [None, "y"])
    write_shard(tmp_path / "s.arrow", result)
    again = read_shard(tmp_path / "s.arrow")
    assert again.item_ids == ["a", "nan"]
    assert again.vectors.tolist() == result.vectors.tolist()
    assert (again.reasons, again.details) == ([None, "x"], [None, "y"])
