"""The Ray engine, on a cluster of two workers that one fixture starts: the bytes of the local engine."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from alignrec.core import plugins
from alignrec.core.files import sha256_file
from alignrec.core.plugins import load_plugins
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import MODALITIES
from alignrec.extractors.registry import identify_extractor
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.config.settings import EngineConfig
from alignrec.pipeline.engines.base import ENGINES, Engine, Model, Timing, Unit
from alignrec.pipeline.engines.ray import RayEngine, _Pool
from alignrec.pipeline.engines.ray_address import check_address
from alignrec.pipeline.errors import ConfigError, EngineError, InputsChangedError
from alignrec.pipeline.runner.console import Advance, Console
from alignrec.pipeline.runner.shards import plan, read_shard
from alignrec.pipeline.stages.chain import run
from tests.pipeline.catalogues import write_items

# A model that dies once, in the middle, in whatever process holds it, while a file named "kill" is there.
PLUGIN = """
import hashlib, os, signal
from pathlib import Path

import numpy as np
from alignrec.extractors.contract import Backend, Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import TextRejectedError
from alignrec.extractors.identity import ExtractorIdentity

NO_WEIGHTS = hashlib.sha256(b"").hexdigest()
KILL = Path(__file__).with_name("kill")


class Hashes(Extractor):
    batch_size = 16

    def __init__(self, name):
        self.card = ExtractorCard(name, "text", None, NO_WEIGHTS, 8, 8, {}, None)

    def prepare(self, value):
        if value == "bad":
            raise TextRejectedError("bad", "it says so itself")
        return value

    def length(self, prepared):
        return len(prepared)

    def embed(self, prepared, tokens=False):
        if "text 700" in prepared and KILL.exists():
            KILL.unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        numbers = [list(hashlib.sha256(text.encode()).digest()[:8]) for text in prepared]
        return Embeddings(np.array(numbers, dtype=np.float32) + 0.1)


def identify(name, modality, sha256):
    return ExtractorIdentity.of_name(name, modality, weights_sha256=NO_WEIGHTS, libraries=["numpy"])


BACKEND = Backend("hashes", identify, lambda name, modality, runtime: Hashes(name.full))
"""


@pytest.fixture(scope="module")
def engine() -> Iterator[RayEngine]:
    """Two workers of a core each, on loopback alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        import ray
        from ray._private import services

        # Ray gives its own processes half a minute to begin, which a busy machine exceeds.
        patch.setattr(services, "get_node", partial(_patiently, services.get_node))
        ray.init(
            "local",
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=80 * 2**20,
            log_to_driver=False,
            _node_ip_address="127.0.0.1",
            # Workers are started as they are needed, and no more of them.
            _system_config={"prestart_worker_first_driver": False},
        )
        yield RayEngine(workers=1)
        ray.shutdown()


def _patiently(look: Callable[..., Any], *where: Any) -> Any:
    """What a look at a machine that is coming up gives when it is there."""
    until = time.monotonic() + 300
    while True:
        try:
            return look(*where)
        except RuntimeError:
            if time.monotonic() > until:
                raise
        time.sleep(0.5)


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plugins of other tests."""
    monkeypatch.setattr(plugins, "_files", {})


@pytest.fixture
def units(tmp_path: Path) -> list[Unit]:
    """A thousand texts, one of them bad, for a model that a plugin file adds."""
    plugin = tmp_path / "own.py"
    plugin.write_text(PLUGIN)
    load_plugins([plugin])
    modality = MODALITIES["text"]
    identity = identify_extractor("hashes:any", modality)
    model = Model("hashes:any", modality, identity, "cpu", (plugin,))
    texts = [f"text {n}" if n != 400 else "bad" for n in range(1000)]
    inputs = [
        Input(f"id{n}", n, hashlib.sha256(text.encode()).hexdigest(), text) for n, text in enumerate(texts)
    ]
    folder = tmp_path / "ray"
    return [Unit(shard, model, 16, False, ItemsConfig(path="unused"), folder) for shard in plan(inputs, {})]


def _shards(folder: Path) -> dict[str, str]:
    return {path.name: sha256_file(path) for path in sorted(folder.glob("*.arrow"))}


def _watched(monkeypatch: pytest.MonkeyPatch) -> tuple[list[int], list[Timing]]:
    """What the engine says of its progress, and of each run in the end."""
    done: list[int] = []
    timings: list[Timing] = []
    whole = RayEngine.run

    def run_watched(self: RayEngine, units: Sequence[Unit], *, advance: Advance, **options: Any) -> Timing:
        def watch(more: int, note: str = "") -> None:
            assert note.startswith("bottleneck: ")
            done.append(more)
            advance(more, note)

        timings.append(whole(self, units, advance=watch, **options))
        return timings[-1]

    monkeypatch.setattr(RayEngine, "run", run_watched)
    return done, timings


# One test of all that a run on a cluster must stand: each worker that is started costs seconds.
@pytest.mark.slow
def test_a_run_that_was_cut_off_goes_on_though_a_worker_dies_to_the_release_of_the_local_engine(
    engine: RayEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.py").write_text(PLUGIN)
    titles = [f"text {n}" if n != 400 else "bad" for n in range(1600)]
    write_items(tmp_path, [{"item_id": f"i{n}", "title": title} for n, title in enumerate(titles)])
    settings = {
        "out": "here",
        "plugins": ["own.py"],
        "catalog": {"items": {"path": "items.jsonl", "image": None, "text": "{title}"}},
        "extract": {"text": "hashes:any"},
        "export": {"sets": ["text"]},
    }
    config = tmp_path / "alignrec.yaml"
    config.write_text(yaml.safe_dump(settings))
    quiet = Console(quiet=True)
    local = run(config, "export", console=quiet).stages["export"].summary["release_id"]
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    shutil.rmtree(tmp_path / "there" / "release")
    here, there = (tmp_path / place / "extract" for place in ("here", "there"))
    (there / "stage.json").unlink()
    shards = sorted((there / "shards" / "text").iterdir())
    items = {path: read_shard(path).item_ids for path in shards}
    left = [path for n, path in enumerate(shards) if n % 2 == 0 or {"i400", "i700"} & set(items[path])]
    for path in left:
        path.unlink()
    kept = {path.name: path.stat().st_ino for path in shards if path not in left}
    assert len(left) > 4 and kept
    kill = tmp_path / "kill"
    kill.touch()
    done, timings = _watched(monkeypatch)
    result = run(config, "export", ["out=there", "engine={name: ray, workers: 2}"], quiet)
    assert not kill.exists() and sum(done) == sum(len(items[path]) for path in left) and len(done) > 2
    assert len(timings) == 1 and timings[0].wall > 0 and timings[0].writing > 0
    assert _shards(there / "shards" / "text") == _shards(here / "shards" / "text")
    assert result.stages["export"].summary["release_id"] == local
    for name, inode in kept.items():
        assert (there / "shards" / "text" / name).stat().st_ino == inode


@pytest.mark.slow
def test_what_a_worker_cannot_do_is_said_in_its_own_words(
    engine: RayEngine, units: list[Unit], tmp_path: Path
) -> None:
    import ray

    check_address(f"127.0.0.1:{ray.get_runtime_context().gcs_address.rpartition(':')[2]}")
    model = units[0].model
    loaded = engine.load(model)
    assert (loaded.card.name, loaded.device, loaded.batch_size) == ("hashes:any", "cpu", 16)
    other = replace(model, identity=replace(model.identity, libraries={"numpy": "0.1"}))
    with pytest.raises(EngineError, match=r"has numpy .*, and the run was planned with 0\.1"):
        engine.load(other)
    changed = replace(model, identity=replace(model.identity, weights_sha256="1" * 64))
    with pytest.raises(ExtractorError, match="changed since the run was planned"):
        engine.load(changed)
    gone = Input("x", 0, "0" * 64, tmp_path / "gone.png")
    unit = replace(units[0], shard=replace(units[0].shard, inputs=(gone,)))
    with pytest.raises(InputsChangedError, match=r"gone\.png cannot be read any more"):
        engine.run([unit])
    assert not _shards(unit.folder)


def test_workers_share_the_machines() -> None:
    small, large, gpus = {"CPU": 4.0}, {"CPU": 16.0}, {"CPU": 16.0, "GPU": 4.0}
    assert _Pool.on([small, small], "auto", None) == _Pool(2, 4, 0)
    assert _Pool.on([small, large], "cpu", 4) == _Pool(4, 2, 0)
    assert _Pool.on([small], "cpu", 9) == _Pool(9, 1, 0)
    assert _Pool.on([small, gpus, gpus], "auto", None) == _Pool(8, 4, 1)
    assert _Pool.on([gpus], "cpu", None) == _Pool(1, 16, 0)
    for machines, device, lacks in (([], "auto", "CPU"), ([small], "cuda", "GPU")):
        with pytest.raises(EngineError, match=f"no machine of the Ray cluster has a {lacks}"):
            _Pool.on(machines, device, None)


def test_without_ray_the_error_says_what_to_install(
    units: list[Unit], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    for work in (lambda: RayEngine().load(units[0].model), lambda: RayEngine().run(units)):
        with pytest.raises(EngineError, match=r"pip install 'alignrec\[ray\]'"):
            work()


def test_a_config_names_the_cluster_and_other_engines_take_none() -> None:
    settings = EngineConfig(name="ray", address="head:6379", workers=3)
    configured: Engine = ENGINES.find("ray").configured(settings)
    assert vars(configured) == vars(RayEngine("head:6379", 3))
    with pytest.raises(ConfigError, match=r"engine\.address means nothing to the engine local"):
        ENGINES.find("local").configured(EngineConfig(address="head:6379"))


def test_no_other_code_loads_ray() -> None:
    code = (
        "import sys, alignrec\n"
        "from alignrec.pipeline.cli.app import app\n"
        "from alignrec.pipeline.engines.base import ENGINES\n"
        "list(ENGINES)\n"
        "print('ray' in sys.modules)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True).stdout
    assert out == "False\n"
