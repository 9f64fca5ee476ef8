"""Units travel: pickled, and embedded by a process that knows nothing else, they give the same bytes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.core.plugins import PluginError
from alignrec.extractors.modality import MODALITIES
from alignrec.extractors.registry import identify_extractor
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.engines.base import ENGINES, Model, Timing, Unit
from alignrec.pipeline.engines.local import LocalEngine
from alignrec.pipeline.runner.shards import plan, read_shard
from tests.pipeline.catalogues import picture
from tests.pipeline.object_store import ObjectStore, object_store

MODELS = {"image": "packaged:efficientnet-lite0", "text": "packaged:all-minilm-l6-v2"}


def embed_elsewhere(units: list[Unit]) -> None:
    """What a worker does with units that were pickled for it, one after the other."""
    engine = ENGINES.find("local")
    for unit in units:
        engine.run([unit])


def _items(folder: Path, *, embedded: bool) -> ItemsConfig:
    """Five items, one of them with a damaged picture, in files or in the table."""
    pictures = [picture(n) if n != 3 else picture(n)[:-200] for n in range(5)]
    for number, data in enumerate(pictures):
        (folder / f"{number}.png").write_bytes(data)
    images = pa.array(pictures, pa.binary()) if embedded else pa.array([f"{n}.png" for n in range(5)])
    ids, titles = [f"i{n}" for n in range(5)], [f"a thing of {'very ' * n}much use" for n in range(5)]
    pq.write_table(pa.table({"item_id": ids, "image": images, "title": titles}), folder / "items.parquet")
    return ItemsConfig(path=str(folder / "items.parquet"), text="{title}")


def _unit(folder: Path, modality: str, *, embedded: bool, store: ObjectStore | None = None) -> Unit:
    folder.mkdir()
    items = _items(folder, embedded=embedded)
    if store is not None:
        for path in folder.glob("*.png"):
            store.put("shop", path.name, path.read_bytes())
            path.unlink()
        items = items.model_copy(update={"image_root": "s3://shop"})
    name = MODELS[modality]
    model = Model(name, MODALITIES[modality], identify_extractor(name, modality), "cpu")
    [shard] = plan(read_catalogue(items, FileHashes()).inputs[modality], {})
    return Unit(shard, model, 2, True, items, folder / "here", ("image",))


@pytest.fixture
def store() -> Iterator[ObjectStore]:
    with object_store() as store:
        yield store


def test_pickled_units_give_the_same_bytes_elsewhere(tmp_path: Path, store: ObjectStore) -> None:
    units = [
        _unit(tmp_path / "files", "image", embedded=False),
        _unit(tmp_path / "table", "image", embedded=True),
        _unit(tmp_path / "store", "image", embedded=False, store=store),
        _unit(tmp_path / "texts", "text", embedded=False),
    ]
    engine = LocalEngine()
    for unit, reason in zip(units, ("truncated", "truncated", "truncated", None), strict=True):
        done: list[tuple[int, str]] = []
        timing = engine.run([unit], advance=lambda *how, done=done: done.append(how))
        assert read_shard(unit.path).reasons == [None, None, None, reason, None]
        assert sum(count for count, _ in done) == 5 - (reason is not None) and timing.wall > 0

    away = [replace(unit, folder=unit.folder.with_name("away")) for unit in units]
    process = get_context("spawn").Process(target=embed_elsewhere, args=(away,))
    process.start()
    process.join()
    assert process.exitcode == 0
    for unit, other in zip(units, away, strict=True):
        assert other.path.read_bytes() == unit.path.read_bytes()


def test_engines_are_found_without_torch() -> None:
    code = (
        "import json, sys\n"
        "from alignrec.pipeline.engines.base import ENGINES\n"
        "print(json.dumps([list(ENGINES), sorted(sys.modules)]))"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    names, loaded = json.loads(out)
    assert names == ["local", "ray"] and not {"torch", "transformers", "ray"} & set(loaded)
    with pytest.raises(PluginError, match="there is no engine 'locl'; did you mean 'local'"):
        ENGINES.find("locl")


def test_a_timing_names_the_bottleneck() -> None:
    timing = Timing(reading=1.0, computing=4.0, writing=0.5, no_input=0.25, no_result=3.0, wall=5.0)
    assert timing.describe(1000) == (
        "1,000 in 5.0 s (200/s): reading 1.0 s, computing 4.0 s, writing 0.5 s, waited for input 0.2 s; "
        "the bottleneck is computing"
    )
    assert timing.note == "bottleneck: computing"
    timing.no_input = 3.5
    assert timing.describe(1000).endswith("the bottleneck is reading (see extract.workers)")
    assert timing.note == "bottleneck: reading"
