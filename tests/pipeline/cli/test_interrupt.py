"""Ctrl-C in mid-run: what it says, and what it leaves."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.pipeline.catalogues import TINY_PRETRAINING, write_catalogue

EPOCHS = 60


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config whose pretraining takes seconds, in many epochs."""
    path = write_catalogue(tmp_path / "shop", items=40)
    settings = yaml.safe_load(path.read_text())
    pretrain = TINY_PRETRAINING | {"epochs": EPOCHS, "patience": EPOCHS}
    path.write_text(yaml.safe_dump(settings | {"pretrain": pretrain, "export": {"sets": ["multimodal"]}}))
    return path


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """Tests run by a shell in the background ignore SIGINT, and what they start would inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def start(config: Path, out: Path) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "alignrec.pipeline.cli.app",
        "run",
        "-c",
        str(config),
        "--until",
        "pretrain",
    ]
    return subprocess.Popen(
        [*command, "-o", f"out={out}"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def pretrained(out: Path) -> dict[str, bytes]:
    folder = out / "pretrain"
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.mark.slow
def test_ctrl_c_says_how_to_go_on_and_the_same_command_ends_in_the_same_bytes(
    config: Path, tmp_path: Path
) -> None:
    process = start(config, tmp_path / "stopped")
    checkpoint = tmp_path / "stopped" / ".pretrain" / "checkpoint.pt"
    while process.poll() is None and not checkpoint.is_file():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert errors.splitlines()[-1].startswith("interrupted:") and "the same command goes on" in errors
    assert "Traceback" not in errors
    assert checkpoint.is_file() and not (tmp_path / "stopped" / "pretrain" / "stage.json").exists()
    shutil.copytree(tmp_path / "stopped" / "extract", tmp_path / "whole" / "extract")
    for out in ("stopped", "whole"):
        process = start(config, tmp_path / out)
        assert process.communicate(timeout=300) is not None and process.returncode == 0
    assert pretrained(tmp_path / "stopped") == pretrained(tmp_path / "whole")
