"""Real processes killed at random moments: the bytes end as those of a run that was left alone."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alignrec.pipeline.demo import make_catalogue
from alignrec.pipeline.demo_run import SETTINGS

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "ml100k.yaml"
NOT_COMPARED = {"digests.json", ".lock"}  # remembered file times, and the lock


def _start(config: Path, out: Path) -> subprocess.Popen[bytes]:
    command = [
        sys.executable,
        "-m",
        "alignrec.pipeline.cli",
        "run",
        "-q",
        "-c",
        str(config),
        "-o",
        f"out={out}",
    ]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def _files(folder: Path) -> dict[str, bytes]:
    found = (p for p in sorted(folder.rglob("*")) if p.is_file() and p.name not in NOT_COMPARED)
    return {str(p.relative_to(folder)): p.read_bytes() for p in found}


def _kill_and_resume(config: Path, folder: Path, kills: int) -> None:
    started = time.monotonic()
    assert _start(config, folder / "clean").wait() == 0
    whole = time.monotonic() - started
    moments = random.Random(0)
    killed = 0
    while killed < kills:
        process = _start(config, folder / "killed")
        try:
            process.wait(timeout=moments.uniform(0.1, 1.0) * min(whole, 14))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            killed += 1
            process.wait()
        else:
            # It finished before all the kills were spent: begin anew, killed again.
            subprocess.run(["rm", "-r", str(folder / "killed")], check=True)
    assert _start(config, folder / "killed").wait() == 0
    assert _files(folder / "killed") == _files(folder / "clean")


@pytest.mark.slow
def test_a_killed_demo_ends_in_the_same_bytes(tmp_path: Path) -> None:
    import yaml

    make_catalogue(tmp_path / "catalogue", seed=3)
    config = tmp_path / "alignrec.yaml"
    config.write_text(yaml.safe_dump(SETTINGS))
    _kill_and_resume(config, tmp_path, kills=5)


@pytest.mark.slow
def test_twenty_kills_of_the_real_catalogue_end_in_the_same_bytes(ml100k: Path, tmp_path: Path) -> None:
    _kill_and_resume(EXAMPLE, tmp_path, kills=20)
