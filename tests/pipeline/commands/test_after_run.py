from __future__ import annotations

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.export.hub.published_as import note_published
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands.after_run import next_command, run_document
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import RunResult, run
from tests.export.hub_cases import make_release
from tests.pipeline.catalogues import write_catalogue


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunResult]:
    config = write_catalogue(tmp_path_factory.mktemp("finished"), items=12, users=6)
    return config, run(config, console=Console(quiet=True))


def test_a_run_is_one_document(finished: tuple[Path, RunResult]) -> None:
    config, result = finished
    document = json.loads(json.dumps(run_document(load_config(config), result, "alignrec verify x")))
    folder = config.parent / "run"
    assert (document["name"], document["folder"], document["next"]) == (
        "tiny",
        str(folder),
        "alignrec verify x",
    )
    assert document["report"] == str(folder / "report.html") and Path(document["report"]).is_file()
    stages = {one["stage"]: one for one in document["stages"]}
    assert list(stages) == ["extract", "split", "evaluate", "export", "report"]
    assert {one["state"] for one in stages.values()} == {"made"}
    assert all(one["seconds"] >= 0 for one in stages.values()) and stages["extract"]["seconds"] > 0
    counts = stages["extract"]["counts"]
    assert (counts["items"], counts["sets"]["image"]) == (12, {"valid": 12, "dim": 1280})
    assert stages["split"]["counts"]["users"] == 6
    release = json.loads((folder / "release" / "manifest.json").read_bytes())["release_id"]
    assert document["release"] == {"folder": str(folder / "release"), "release_id": release}
    assert {one["outcome"] for one in document["verdicts"]} <= {"helped", "hurt", "open"}
    assert document["recommendations"][0]["use"] == "Similar items"


def test_a_run_that_stopped_earlier_has_no_release_and_no_verdict(finished: tuple[Path, RunResult]) -> None:
    config, result = finished
    early = replace(result, stages={"extract": result.stages["extract"]}, release=None, renewed=())
    document = run_document(load_config(config), early, "")
    assert (document["release"], document["verdicts"], document["recommendations"]) == (None, [], [])
    assert [one["state"] for one in document["stages"]] == ["up to date"]


def test_the_next_command_goes_on_from_where_the_run_ended(finished: tuple[Path, RunResult]) -> None:
    file, result = finished
    config = load_config(file)
    early = replace(result, release=None)
    default = Path("alignrec.yaml")
    assert next_command(config, default, [], early) == "alignrec run"
    words = shlex.split(next_command(config, file, ["name=a b"], early))
    assert words == ["alignrec", "run", "-c", str(file), "-o", "name=a b"]
    unlicensed = next_command(config, default, [], result)
    assert unlicensed == "alignrec run -o export.license=YOUR-LICENCE"
    licensed = config.model_copy(update={"export": config.export.model_copy(update={"license": "mit"})})
    expected = f"alignrec push {result.release} YOUR-NAME/tiny-features --version 1.0.0"
    assert next_command(licensed, default, [], result) == expected


def test_what_was_published_gets_the_version_after_it(tmp_path: Path) -> None:
    release = tmp_path / "release"
    make_release(release)
    config = load_config(write_catalogue(tmp_path, items=1, users=1))
    config = config.model_copy(update={"export": config.export.model_copy(update={"license": "mit"})})
    result = RunResult(tmp_path, {}, release, {}, ())
    note_published(release, "team/shop", "1.2.0")
    assert next_command(config, Path("alignrec.yaml"), [], result) == "alignrec verify team/shop@1.2.0"
    shutil.rmtree(release)
    make_release(release, seeds={"image": 1})
    expected = f"alignrec push {release} team/shop --version 2.0.0"
    assert next_command(config, Path("alignrec.yaml"), [], result) == expected


def test_the_command_that_is_named_is_one(finished: tuple[Path, RunResult]) -> None:
    file, result = finished
    early = shlex.split(next_command(load_config(file), file, [], replace(result, release=None)))
    answer = CliRunner().invoke(app, early[1:])
    assert answer.exit_code == 0, answer.output
