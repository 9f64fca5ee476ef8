"""What `alignrec estimate` prints."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alignrec.pipeline.cli.estimate import register, span
from alignrec.pipeline.commands.estimate import Estimate
from alignrec.pipeline.runner.cost import Cost
from tests.pipeline.catalogues import write_catalogue

app = typer.Typer()
register(app)
app.command()(lambda: None)  # with a second command, the first has its name
GIB = 2**30
FOUND = [
    Estimate("extract", True, Cost((0, 0), 0, 0)),
    Estimate("train", False, Cost((95, 300), GIB, 3 * 2**20)),
    Estimate("evaluate", False, None),
]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr("alignrec.pipeline.commands.estimate.estimate", lambda *_: FOUND)
    return str(write_catalogue(tmp_path))


def test_a_script_reads_seconds_and_bytes(config: str) -> None:
    answer = CliRunner().invoke(app, ["estimate", "-c", config, "--json"])
    assert json.loads(answer.stdout) == [json.loads(json.dumps(one.record())) for one in FOUND]
    assert json.loads(answer.stdout)[1]["seconds"] == [95, 300]


def test_a_person_reads_a_table_with_a_total(config: str) -> None:
    answer = CliRunner().invoke(app, ["estimate", "-c", config], env={"COLUMNS": "100", "NO_COLOR": "1"})
    lines = [line.strip().strip("│").split("│") for line in answer.stdout.splitlines() if "│" in line]
    table = [[cell.strip() for cell in line] for line in lines]
    assert table[0] == ["extract", "done", "", ""]
    assert table[1] == ["train", "1.6 to 5.0 min", "1.0 GiB", "3.0 MiB"]
    assert table[2] == ["evaluate", "not known", "", ""]
    assert table[3] == ["all", "more than 1.6 to 5.0 min", "more than 1.0 GiB", "more than 3.0 MiB"]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (40, 41, "40 s"),
        (3.21, 3.3, "3.3 s"),
        (50, 240, "50 s to 4.0 min"),
        (7200, 36_000, "2.0 to 10 h"),
        (1234, 1234, "21 min"),
        (0, 0, "0.0 s"),
    ],
)
def test_times_are_said_as_a_person_does(low: float, high: float, words: str) -> None:
    assert span(low, high) == words
