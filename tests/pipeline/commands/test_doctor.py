"""What the doctor says of this machine, and what it must never say."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands import doctor


def test_every_finding_that_needs_doing_says_what_to_do() -> None:
    answer = CliRunner().invoke(app, ["doctor", "--json"])
    assert answer.exit_code == 0
    findings = json.loads(answer.stdout)
    assert {"alignrec", "torch", "threads", "Hub cache", "Hub login"} <= {f["what"] for f in findings}
    assert all(f["note"] for f in findings if f["state"] != "ok")


def test_a_missing_package_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_version", lambda package: None if package == "datasets" else "1.0")
    (missing,) = [f for f in doctor.examine() if f.state == "missing"]
    assert (missing.what, missing.note) == ("datasets", "pip install datasets")


def test_a_full_disk_is_noted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "LEAST_FREE", 1 << 62)
    (disk,) = [f for f in doctor.examine(tmp_path) if f.what == "free disk here"]
    assert disk.state == "note" and "another disk" in disk.note


def test_the_token_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    answer = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "200"})
    assert "a token is set" in answer.output and "hf_secret" not in answer.output
