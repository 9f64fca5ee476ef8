"""The demo, run as its command runs it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.pipeline.cli.app import app
from alignrec.pipeline.demo.run import SETTINGS

# All else is the demo's own. No test asks how well it trains, which takes minutes.
EPOCHS = 2


@dataclass(frozen=True)
class FinishedDemo:
    """What `alignrec demo` left in a folder, and printed."""

    folder: Path
    printed: str


def finish_demo(folder: Path) -> FinishedDemo:
    """Run `alignrec demo` with few epochs."""
    with pytest.MonkeyPatch.context() as patch:
        for stage in ("pretrain", "train"):
            patch.setitem(SETTINGS, stage, {"epochs": EPOCHS})
        answer = CliRunner().invoke(app, ["demo", "--out", str(folder), "--quiet"])
    assert answer.exit_code == 0, answer.output
    return FinishedDemo(folder, answer.stdout)
