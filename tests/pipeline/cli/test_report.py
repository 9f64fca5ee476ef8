from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alignrec.pipeline.cli.report import register
from alignrec.pipeline.commands.doctor import Finding
from alignrec.pipeline.errors import RunFolderError
from tests.pipeline.catalogues import write_catalogue

app = typer.Typer()
register(app)
FINDINGS = [Finding("Python", "3.11", "ok", ""), Finding("GPU", "none", "missing", "training is slow here")]


def test_a_report_needs_an_extraction(tmp_path: Path) -> None:
    config = write_catalogue(tmp_path)
    early = CliRunner().invoke(app, ["report", "-c", str(config)])
    assert isinstance(early.exception, RunFolderError)
    assert not (tmp_path / "run" / "report.html").exists()


def test_doctor_says_what_was_found_in_json_and_in_a_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignrec.pipeline.commands.doctor.examine", lambda: FINDINGS)
    answer = CliRunner().invoke(app, ["doctor", "--json"])
    assert (answer.exit_code, json.loads(answer.stdout)) == (0, [one._asdict() for one in FINDINGS])
    shown = CliRunner().invoke(app, ["doctor"], env={"COLUMNS": "100", "NO_COLOR": "1"})
    assert [line.split() for line in shown.stdout.splitlines()] == [
        ["ok", "Python", "3.11"],
        ["missing", "GPU", "none"],
        ["training", "is", "slow", "here"],
    ]
