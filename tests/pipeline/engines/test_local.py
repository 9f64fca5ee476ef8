"""The local engine: each input gets its own vector, in whatever order things happen."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError, TextRejectedError
from alignrec.extractors.identity import ExtractorIdentity
from alignrec.extractors.inputs.images import reduction
from alignrec.extractors.modality import IMAGE, MODALITIES
from alignrec.extractors.testing import sample_photograph
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.engines import local
from alignrec.pipeline.engines.base import Model, Unit
from alignrec.pipeline.engines.local import LocalEngine, embed_units
from alignrec.pipeline.runner.shards import MAX_ITEMS, ShardResult, plan, read_shard


class Lengths(Extractor):
    """Embeds a text as its length and its first character; remembers the batches it saw."""

    def __init__(self) -> None:
        self.card = ExtractorCard("test:lengths", "text", None, "0" * 64, 2, 1, {}, None)
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


def _units(texts: Sequence[str], modality: str = "text") -> list[Unit]:
    identity = ExtractorIdentity("test", "lengths", modality, None, "0" * 64)
    model = Model("test:lengths", MODALITIES[modality], identity)
    items = ItemsConfig(path="unused")
    inputs = [Input(f"id{n}", n, text, text) for n, text in enumerate(texts)]
    return [Unit(shard, model, 4, False, items, Path("nowhere")) for shard in plan(inputs, {})]


@pytest.fixture(scope="module")
def embed() -> Callable[..., dict[str, ShardResult]]:
    """Embeds texts and gives what would have been written, by shard, having checked the order of writing."""

    def run(
        texts: Sequence[str], *, extractor: Extractor | None = None, modality: str = "text", **options: Any
    ) -> dict[str, ShardResult]:
        units, saved = _units(texts, modality), {}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(local, "write_shard", lambda path, result: saved.update({path.stem: result}))
            embed_units(units, extractor or Lengths(), **options)
        assert list(saved) == [unit.shard.key for unit in units]
        return saved

    return run


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from(["a", "bb", "ccc", "bad", "dddddd"]), min_size=1, max_size=300))
def test_each_input_gets_its_own_vector_whatever_the_workers(
    embed: Callable[..., dict[str, ShardResult]], texts: list[str]
) -> None:
    for workers in (0, 2):
        for modality in ("text", "image"):
            results = embed(texts, workers=workers, modality=modality).values()
            vectors = np.concatenate([r.vectors for r in results])
            reasons = [reason for r in results for reason in r.reasons]
            assert reasons == ["bad" if t == "bad" else None for t in texts]
            expected = [[0, 0] if t == "bad" else [len(t), ord(t[0])] for t in texts]
            assert vectors.tolist() == expected
            assert [i for r in results for i in r.item_ids] == [f"id{n}" for n in range(len(texts))]


def test_texts_are_batched_with_their_like_and_batches_stay_in_their_unit(
    embed: Callable[..., dict[str, ShardResult]],
) -> None:
    extractor = Lengths()
    texts = ["x" * (n * 7 % 50 + 1) for n in range(MAX_ITEMS)]
    embed(texts, extractor=extractor)
    spread = [len(batch[-1]) - len(batch[0]) for batch in extractor.batches if len(batch) == 4]
    assert np.mean(spread) < 5


def test_pictures_are_batched_as_they_come(embed: Callable[..., dict[str, ShardResult]]) -> None:
    extractor = Lengths()
    texts = ["x" * (n * 7 % 50 + 1) for n in range(8)]
    embed(texts, extractor=extractor, modality="image")
    assert sorted(map(set, extractor.batches), key=len) == [set(texts[:4]), set(texts[4:])]


def test_an_error_of_the_model_or_the_disk_stops_the_run_at_once(
    embed: Callable[..., dict[str, ShardResult]],
) -> None:
    class Broken(Lengths):
        def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError, match="out of memory"):
        embed(["a"] * 50, extractor=Broken())
    assert threading.active_count() < 10


@pytest.mark.parametrize("slow", ["reading", "computing"])
def test_a_run_under_way_names_its_bottleneck(
    embed: Callable[..., dict[str, ShardResult]], slow: str
) -> None:
    class Slow(Lengths):
        def prepare(self, value: Image.Image | str) -> Any:
            time.sleep(0.02 * (slow == "reading"))
            return super().prepare(value)

        def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
            time.sleep(0.05 * (slow == "computing"))
            return super().embed(prepared, tokens)

    notes: list[str] = []
    embed(
        ["a"] * 48, extractor=Slow(), modality="image", workers=1, advance=lambda _, note: notes.append(note)
    )
    assert len(notes) >= 12 and set(notes[-6:]) == {f"bottleneck: {slow}"}


def test_a_model_is_loaded_once_and_must_be_the_planned_one(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[str] = []

    def load(name: str, *_: Any, **__: Any) -> Extractor:
        loads.append(name)
        return Lengths()

    monkeypatch.setattr(local, "load_extractor", load)
    engine, model = LocalEngine(), _units(["a"])[0].model
    for _ in range(2):
        loaded = engine.load(model)
        assert (loaded.card.name, loaded.device, loaded.batch_size, loaded.tokens) == (
            "test:lengths",
            "cpu",
            4,
            0,
        )
    assert loads == ["test:lengths"]
    engine.close()
    engine.load(model)
    assert loads == ["test:lengths"] * 2
    other = ExtractorIdentity("test", "lengths", "text", None, "1" * 64)
    with pytest.raises(ExtractorError, match="changed since the run was planned"):
        LocalEngine().load(Model("test:lengths", MODALITIES["text"], other))


def test_pictures_are_reduced_where_the_identity_says_so_and_the_model_has_a_size(tmp_path: Path) -> None:
    class Reductions(Lengths):
        def prepare(self, value: Any) -> Any:
            return "x" * reduction(value)

    data = sample_photograph(816, 1)
    (tmp_path / "a.jpg").write_bytes(data)
    entry = Input("a", 0, hashlib.sha256(data).hexdigest(), tmp_path / "a.jpg")
    identity = ExtractorIdentity("test", "lengths", "image", None, "0" * 64)
    for side, decoding, expected in ((64, IMAGE.decoding, 4), (64, "full", 1), (0, IMAGE.decoding, 1)):
        model = Model("test:lengths", MODALITIES[IMAGE.name], replace(identity, decoding=decoding))
        shard = plan([entry], {"case": [side, decoding]})[0]
        unit = Unit(shard, model, 4, False, ItemsConfig(path="unused"), tmp_path)
        extractor = Reductions()
        extractor.picture_side = side
        embed_units([unit], extractor)
        assert read_shard(unit.path).vectors[0, 0] == expected
