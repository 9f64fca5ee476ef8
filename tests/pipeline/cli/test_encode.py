from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from alignrec.export.errors import ReleaseError
from alignrec.pipeline.cli.encode import register
from tests.export.hub_cases import make_release

app = typer.Typer()
register(app)


def call(command: str, folder: Path, *more: str) -> Result:
    arguments = [command, str(folder / "new.jsonl"), "--release", str(folder / "release")]
    return CliRunner().invoke(app, [*arguments, "--out", str(folder / "work"), *more], env={"COLUMNS": "200"})


@pytest.mark.parametrize("command", ["encode", "extend"])
def test_a_model_is_that_of_a_modality(tmp_path: Path, command: str) -> None:
    make_release(tmp_path / "release")
    wrong = call(command, tmp_path, "--extractor", "packaged:whale")
    assert wrong.exit_code == 2
    assert "Invalid value for --extractor: expected MODALITY=NAME, such as image=NAME" in wrong.stderr
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize("command", ["encode", "extend"])
def test_a_release_that_is_not_there_is_named(tmp_path: Path, command: str) -> None:
    absent = call(command, tmp_path)
    assert isinstance(absent.exception, ReleaseError)
    assert str(tmp_path / "release") in str(absent.exception)
    assert not (tmp_path / "work").exists()
