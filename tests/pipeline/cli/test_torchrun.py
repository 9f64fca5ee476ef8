"""The command under torchrun: a killed process ends it with words, and another run goes on from there."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alignrec.aligner.processes import ALONE
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.run_folder import PRETRAIN
from tests.pipeline.shared_runs import SETTINGS, train_all
from tests.pipeline.tiny_runs import write_tiny

# Long enough to be killed in.
EPOCHS = 120
LONG = [*SETTINGS, f"pretrain.epochs={EPOCHS}", f"pretrain.patience={EPOCHS}"]


def start(config: Path, out: Path) -> subprocess.Popen[str]:
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = ["-m", "alignrec.pipeline.cli.app", "run", "-c", str(config), "-o", f"out={out}"]
    return subprocess.Popen(
        [*torchrun, *command, *(word for setting in LONG for word in ("-o", setting))],
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
def test_a_killed_process_ends_it_with_words_and_another_run_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, out = write_tiny(tmp_path / "shop"), tmp_path / "run"
    run = start(config, out)
    checkpoint = out / ".pretrain" / "checkpoint.pt"
    while run.poll() is None and not checkpoint.is_file():
        time.sleep(0.02)
    os.kill(process_of(run.pid, 1), signal.SIGKILL)
    answer, errors = run.communicate(timeout=120)
    assert run.returncode != 0 and answer == "", errors
    # It notices by itself, or torchrun does and ends it.
    words = ("another process of this training ended", "ended by torchrun, as it ends all processes")
    assert any(f"error of process 0: {one}" in errors for one in words), errors
    assert errors.count(f"pretrain: {EPOCHS} to do") == 1, "one process speaks"
    assert checkpoint.is_file() and not (out / "pretrain").exists()
    with locked(out):  # nobody holds it
        train_all(ALONE, config, out, LONG, PRETRAIN, Console())
    assert "pretrain: resuming after epoch" in capsys.readouterr().err
