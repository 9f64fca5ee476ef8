"""The command under torchrun: a killed process ends it with words, and the same command goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from alignrec.pipeline.runner.run_folder import PRETRAIN, RETRAIN, TRAIN, RunFolder
from tests.pipeline.tiny_runs import command, write_tiny

# Of one column a member would know signs alone, and rounding could turn them.
SETTINGS = ["pretrain.epochs=40", "pretrain.patience=40", "train.dim=32", "train.epochs=4"]
WORDS = ["run", "--until", RETRAIN, "--all-interactions", *(w for s in SETTINGS for w in ("-o", s))]


def start(config: Path, out: Path) -> subprocess.Popen[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return subprocess.Popen(
        [*torchrun, "-m", "alignrec.pipeline.cli.app", *WORDS, "-c", str(config), "-o", f"out={out}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
    )


def process_of(torchrun: int, rank: int) -> int:
    """The number of one of the processes that torchrun started."""
    children = Path(f"/proc/{torchrun}/task/{torchrun}/children").read_text().split()
    (found,) = (c for c in children if f"\0RANK={rank}\0".encode() in Path(f"/proc/{c}/environ").read_bytes())
    return int(found)


@pytest.mark.slow
def test_a_killed_process_ends_it_and_the_same_command_ends_where_one_process_does(tmp_path: Path) -> None:
    config, out = write_tiny(tmp_path / "shop"), tmp_path / "two"
    killed = start(config, out)
    checkpoint = out / ".pretrain" / "checkpoint.pt"
    while killed.poll() is None and not checkpoint.is_file():
        time.sleep(0.05)
    os.kill(process_of(killed.pid, 1), signal.SIGKILL)
    _, errors = killed.communicate(timeout=120)
    assert killed.returncode != 0, errors
    assert "error of process 0: another process of this training ended" in errors
    assert checkpoint.is_file() and not (out / PRETRAIN).exists()
    resumed = start(config, out)
    answer, errors = resumed.communicate(timeout=300)
    assert resumed.returncode == 0, errors
    assert errors.count("pretrain: resuming after epoch") == 1, "one process speaks"
    assert answer == ""
    shutil.copytree(out / "extract", tmp_path / "one" / "extract")
    assert command(*WORDS, "-q", "-c", config, "-o", f"out={tmp_path / 'one'}") == 0
    two, one = RunFolder(out), RunFolder(tmp_path / "one")
    for stage in (PRETRAIN, TRAIN):
        for found, wanted in zip(two.curves(stage), one.curves(stage), strict=True):
            bound = 0.003 if "@" in found.metric else 1e-4
            assert found.metric == wanted.metric
            np.testing.assert_allclose(found.points, wanted.points, rtol=0, atol=bound, err_msg=found.metric)
    for name in ("multimodal", "aligned", "user"):
        np.testing.assert_allclose(two.features(name).matrix, one.features(name).matrix, atol=1e-3)
    np.testing.assert_allclose(two.retrained("aligned").matrix, one.retrained("aligned").matrix, atol=1e-3)
