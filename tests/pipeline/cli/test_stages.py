"""The commands that run stages: what they print where."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from alignrec.pipeline.cli import stages
from alignrec.pipeline.cli.app import app
from tests.pipeline.catalogues import write_catalogue


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_catalogue(tmp_path_factory.mktemp("shop"))


def call(config: Path, command: str, *more: str) -> Result:
    return CliRunner().invoke(app, [command, "-c", str(config), *more])


def test_a_script_reads_one_document_and_progress_stays_out_of_it(config: Path) -> None:
    first = call(config, "run", "--json")
    assert first.exit_code == 0, first.output
    document = json.loads(first.stdout)
    assert "extract: 6 items" in first.stderr and f"next: {document['next']}" in first.stderr.splitlines()
    assert document["release"]["folder"] == str(config.parent / "run" / "release")
    again = call(config, "run", "--json", "--quiet")
    assert again.stderr == ""
    assert {one["state"] for one in json.loads(again.stdout)["stages"]} == {"up to date"}


def test_a_person_is_told_the_next_command(config: Path) -> None:
    early = call(config, "extract")
    assert early.exit_code == 0, early.output
    assert (early.stdout, early.stderr.splitlines()[-1]) == ("", f"next: alignrec run -c {config}")
    whole = call(config, "run", "-o", "export.license=mit")
    release = config.parent / "run" / "release"
    assert whole.stdout.splitlines() == [str(release)]
    last = f"next: alignrec push {release} YOUR-NAME/tiny-features --version 1.0.0"
    assert whole.stderr.splitlines()[-1] == last


@pytest.mark.parametrize("command", ["run", "export"])
def test_what_is_released_to_serve_goes_through_the_config(
    monkeypatch: pytest.MonkeyPatch, config: Path, command: str
) -> None:
    asked: list[list[str]] = []
    monkeypatch.setattr(
        stages, "_run", lambda _config, _until, overrides, *_more, **_named: asked.append(overrides)
    )
    call(config, command, "--all-interactions", "-o", "seed=2")
    call(config, command)
    assert asked == [["seed=2", "export.all_interactions=true"], []]


def test_a_run_that_fails_prints_no_document(tmp_path: Path) -> None:
    config = write_catalogue(tmp_path)
    (tmp_path / "items.jsonl").unlink()
    failed = call(config, "run", "--json")
    assert failed.exit_code != 0 and failed.stdout == ""


def test_rankings_are_named_files() -> None:
    assert stages._named_files(["a=x.csv"]) == {"a": str(Path("x.csv").absolute())}
