"""Real processes killed at random moments: the bytes end as those of a run that was left alone."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import pytest
import yaml

from alignrec.pipeline.demo.catalogue import make_catalogue
from alignrec.pipeline.demo.run import demo_settings
from alignrec.pipeline.stages.chain import run

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "ml100k.yaml"
# As many threads each time: the bytes of a training depend on it.
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
# The killed processes begin with everything imported: a kill before that proves nothing.
READY = get_context("forkserver")
READY.set_forkserver_preload(
    ["alignrec.pipeline.stages.chain", "alignrec.pipeline.report.write", "transformers"]
)
NOT_COMPARED = {".hashes.json", ".lock"}  # remembered file times, and the lock


def _start(config: Path, out: Path, until: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "alignrec.pipeline.cli.app", "run", "-q", "-c", str(config)]
    return subprocess.Popen(
        [*command, "-o", f"out={out}", "--until", until], stdout=subprocess.DEVNULL, env=ENVIRONMENT
    )


def _files(folder: Path) -> dict[str, bytes]:
    found = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in NOT_COMPARED)
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def _marks(folder: Path) -> dict[Path, int]:
    """When each file was written last, as far as a process at work beside us lets itself be looked at."""
    marks = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            marks[path] = path.stat().st_mtime_ns
    return marks


def _killed(config: Path, out: Path, until: str, pause: float) -> bool:
    """Start a run and kill it `pause` seconds after its first sign of life; False if it ended before."""
    before = _marks(out)
    process = READY.Process(target=run, args=(config, until, [f"out={out}"]))
    process.start()
    while process.is_alive() and _marks(out) == before:
        time.sleep(0.05)
    process.join(pause)
    process.kill()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def _kill_and_resume(config: Path, folder: Path, kills: int, until: str = "export", start: str = "") -> None:
    """Kill `kills` times, between the end of the stage `start` (or nothing at all) and that of `until`.

    The moments are spread so that the kills together take about one run, and each stage is met.
    """
    clean, killed = folder / "clean", folder / "killed"
    if start:
        assert _start(config, clean, start).wait() == 0
        shutil.copytree(clean, killed)
    begun = time.monotonic()
    assert _start(config, clean, until).wait() == 0
    whole = time.monotonic() - begun
    moments, left = random.Random(0), kills
    while left:
        if _killed(config, killed, until, moments.uniform(0.0, 2.0) * (1.0 + whole / kills)):
            left -= 1
        else:  # it finished before all the kills were spent: begin anew, killed again
            shutil.rmtree(killed / until if start else killed)
    assert _start(config, killed, until).wait() == 0
    assert _files(killed) == _files(clean)


def _demo(folder: Path, *, sound: bool = False, **settings: object) -> Path:
    make_catalogue(folder / "catalogue", seed=3, items=400, users=600, sound=sound)
    config = folder / "alignrec.yaml"
    config.write_text(yaml.safe_dump(demo_settings(sound=sound) | settings))
    return config


@pytest.mark.slow
def test_a_killed_demo_ends_in_the_same_bytes(tmp_path: Path) -> None:
    """Of all three kinds of content."""
    short = {"pretrain": {"epochs": 3}, "train": {"epochs": 8}, "evaluate": {"masked": []}}
    _kill_and_resume(_demo(tmp_path, sound=True, **short), tmp_path, kills=5)


@pytest.mark.slow
def test_ten_kills_of_pretraining_end_in_the_same_bytes(tmp_path: Path) -> None:
    _kill_and_resume(_demo(tmp_path), tmp_path, kills=10, until="pretrain", start="extract")


@pytest.mark.slow
def test_ten_kills_of_training_end_in_the_same_bytes(tmp_path: Path) -> None:
    steady = {"pretrain": {"epochs": 1}, "train": {"epochs": 25, "patience": 25}}
    _kill_and_resume(_demo(tmp_path, **steady), tmp_path, kills=10, until="train", start="pretrain")


@pytest.mark.slow
def test_twenty_kills_of_the_real_catalogue_end_in_the_same_bytes(ml100k: Path, tmp_path: Path) -> None:
    _kill_and_resume(EXAMPLE, tmp_path, kills=20, until="extract")
