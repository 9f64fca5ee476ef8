"""Real processes killed at random moments: the bytes end as those of a run that was left alone."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest
import yaml

from alignrec.pipeline.demo.catalogue import make_catalogue
from alignrec.pipeline.demo.run import demo_settings
from alignrec.pipeline.stages.chain import run
from tests.pipeline.pixels_demo import write_pixels_demo

REAL_ITEMS = 400  # of ml100k's 1,682: some three files of each modality to be killed in
EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "ml100k.yaml"
# Processes begin with everything imported: a kill before that proves nothing. All have as many threads, which
# the bytes of a training depend on.
IMPORTED = [
    "alignrec.pipeline.stages.chain",
    "alignrec.pipeline.report.write",
    "alignrec.extractors.backends.packaged.efficientnet",
    "alignrec.extractors.backends.transformers.sentence",
    "efficientnet_lite_pytorch",
    "transformers.models.bert.modeling_bert",
]
READY = get_context("forkserver")
READY.set_forkserver_preload(IMPORTED)
NOT_COMPARED = {".hashes.json", ".lock"}  # remembered file times, and the lock


def _run(config: Path, out: Path, until: str) -> float:
    """Run in a process of its own that is left alone; the seconds it took."""
    begun = time.monotonic()
    process = _start(config, out, until)
    process.join()
    assert process.exitcode == 0
    return time.monotonic() - begun


def _start(config: Path, out: Path, until: str) -> BaseProcess:
    process = READY.Process(target=run, args=(config, until, [f"out={out}"]))
    process.start()
    return process


def _files(folder: Path) -> dict[str, bytes]:
    found = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in NOT_COMPARED)
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def _marks(folder: Path) -> dict[Path, int]:
    """When each file was written last, as far as a process at work beside us lets itself be looked at."""
    marks = {}
    for place, folders, files in os.walk(folder):  # passes over a folder that has gone meanwhile
        for path in (Path(place, name) for name in (*folders, *files)):
            with suppress(FileNotFoundError):
                marks[path] = path.stat().st_mtime_ns
    return marks


def _killed(config: Path, out: Path, until: str, pause: float) -> bool:
    """Start a run and kill it `pause` seconds after its first sign of life; False if it ended before."""
    before = _marks(out)
    process = _start(config, out, until)
    while process.is_alive() and _marks(out) == before:
        time.sleep(0.05)
    process.join(pause)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _kill_and_resume(
    config: Path, clean: Path, seconds: float, kills: int, until: str, begun: Path | None = None
) -> None:
    """Kill `kills` times before the end of the stage `until`, and compare what the next run makes of it.

    The moments are spread so that the kills together take about one run, and each stage is met.

    Args:
        clean: the run that was left alone, which took `seconds`.
        begun: what both runs begin with; nothing by default.
    """
    killed = clean.with_name("killed")

    def begin() -> None:
        shutil.rmtree(killed, ignore_errors=True)
        if begun is not None:
            shutil.copytree(begun, killed)

    begin()
    moments, left = random.Random(0), kills
    while left:
        if _killed(config, killed, until, moments.uniform(0.0, 2.0) * (1.0 + seconds / kills)):
            left -= 1
        else:  # it finished before all the kills were spent: begin anew, killed again
            begin()
    _run(config, killed, until)
    assert _files(killed) == _files(clean)


@dataclass(frozen=True)
class Demo:
    """The demo's catalogue, of pictures, texts and sounds, with a short run of every stage in `seconds`."""

    folder: Path
    config: Path
    clean: Path
    seconds: float

    def extracted(self, out: Path) -> Path:
        """A run folder in which only the extraction is done; no later setting changes it."""
        shutil.copytree(self.clean / "extract", out / "extract")
        return out


def _configure(folder: Path, name: str, **settings: object) -> Path:
    config = folder / f"{name}.yaml"
    config.write_text(yaml.safe_dump(demo_settings(sound=True) | settings))
    return config


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    folder = tmp_path_factory.mktemp("demo")
    make_catalogue(folder / "catalogue", seed=3, items=200, users=300, sound=True)
    short = {"pretrain": {"epochs": 3}, "train": {"epochs": 8}, "evaluate": {"masked": []}}
    config, clean = _configure(folder, "short", **short), folder / "clean"
    return Demo(folder, config, clean, _run(config, clean, "export"))


@pytest.fixture
def part_of_ml100k(ml100k: Path, tmp_path: Path) -> Path:
    """The example's config for the first items of the real catalogue."""
    settings = yaml.safe_load(EXAMPLE.read_text())
    rows = (ml100k / "items.jsonl").read_text().splitlines(keepends=True)[:REAL_ITEMS]
    kept = {json.loads(row)["item_id"] for row in rows}
    header, *log = (ml100k / "interactions.csv").read_text().splitlines(keepends=True)
    (tmp_path / "items.jsonl").write_text("".join(rows))
    chosen = [line for line in log if line.split(",")[1] in kept]
    (tmp_path / "interactions.csv").write_text(header + "".join(chosen))
    settings["catalog"]["items"] |= {"path": "items.jsonl", "image_root": str(ml100k)}
    settings["catalog"]["interactions"]["path"] = "interactions.csv"
    del settings["split"]  # a later stage's
    (tmp_path / "alignrec.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path / "alignrec.yaml"


@pytest.mark.slow
def test_a_killed_demo_ends_in_the_same_bytes(demo: Demo) -> None:
    _kill_and_resume(demo.config, demo.clean, demo.seconds, kills=5, until="export")


@pytest.mark.slow
def test_ten_kills_of_pretraining_end_in_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    config, clean = _configure(demo.folder, "pretrained"), demo.extracted(tmp_path / "clean")
    begun = demo.extracted(tmp_path / "begun")
    seconds = _run(config, clean, "pretrain")
    _kill_and_resume(config, clean, seconds, kills=10, until="pretrain", begun=begun)


@pytest.mark.slow
def test_ten_kills_of_training_end_in_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    steady = {"pretrain": {"epochs": 1}, "train": {"epochs": 25, "patience": 25}}
    config, clean = _configure(demo.folder, "trained", **steady), demo.extracted(tmp_path / "clean")
    _run(config, clean, "pretrain")
    begun = Path(shutil.copytree(clean, tmp_path / "begun"))
    seconds = _run(config, clean, "train")
    _kill_and_resume(config, clean, seconds, kills=10, until="train", begun=begun)


@pytest.mark.slow
def test_ten_kills_of_fine_tuning_end_in_the_same_bytes(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    config = write_pixels_demo(
        tmp_path / "shop", seed=5, items=200, steps=80, save_every=5, aggregate=True, classify=True
    )
    clean = tmp_path / "clean"
    seconds = _run(config, clean, "finetune")
    _kill_and_resume(config, clean, seconds, kills=10, until="finetune")


@pytest.mark.slow
def test_twenty_kills_of_a_real_catalogue_end_in_the_same_bytes(part_of_ml100k: Path, tmp_path: Path) -> None:
    clean = tmp_path / "clean"
    seconds = _run(part_of_ml100k, clean, "extract")
    _kill_and_resume(part_of_ml100k, clean, seconds, kills=20, until="extract")
