"""A disk that fails at any write of any stage: one clear error, and afterwards the same bytes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).with_name("failing_disk.c")
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("there is no C compiler, or this is not Linux")
    built = tmp_path / "failing_disk.so"
    command = [compiler, "-shared", "-fPIC", "-O1", "-o", str(built), str(SOURCE), "-ldl"]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("the C compiler does not build a library to preload")
    return built


@pytest.mark.slow
def test_a_failing_disk_is_a_clear_error_and_costs_nothing(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [sys.executable, "-m", "tests.pipeline.runner.failing_disk", str(library), str(tmp_path), "12"]
    environment = os.environ | {"LD_PRELOAD": str(library), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    cases, wrong = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{cases} failures of the disk, {len(wrong)} of them not clear or not made good")
    assert cases >= 60
    assert not wrong, "\n".join(wrong)
