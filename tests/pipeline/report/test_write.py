"""The report of a real run, and what the file itself promises."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from alignrec.core.errors import AlignRecError
from alignrec.core.results import ResultsError
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.report import neighbours_map
from alignrec.pipeline.report.write import write_report
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.manifest import StageManifest, list_files
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run, write_page
from tests.pipeline.catalogues import write_catalogue
from tests.pipeline.report.runs import make_config, make_run, ordinary_rows, records, written


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalogue of which no more than extraction was run; returns the config's path."""
    config = write_catalogue(tmp_path_factory.mktemp("extracted"))
    run(config, "extract", console=Console(quiet=True))
    return config


def test_the_command_writes_the_report_of_a_run_as_far_as_it_came(extracted: Path) -> None:
    answer = CliRunner().invoke(app, ["report", "-c", str(extracted)])
    assert answer.exit_code == 0, answer.output
    page = Path(answer.stdout.strip()).read_text()
    assert "thing 3" in page and "Not measured yet" in page
    assert "How it trained" not in page


def finish(stage: Path, name: str, content: str) -> None:
    """A stage of one file, done."""
    stage.mkdir(exist_ok=True)
    (stage / name).write_text(content)
    StageManifest(stage.name, {}, list_files(stage, [stage / name]), {}).write(stage / "stage.json")


def test_numbers_of_later_stages_show_up(extracted: Path, tmp_path: Path) -> None:
    shutil.copytree(extracted.parent, tmp_path / "own")
    config = load_config(tmp_path / "own" / "alignrec.yaml")
    first = write_page(config).read_text()
    numbers = {"format": 1, "definitions": {}, "records": [m.record() for m in records()]}
    finish(config.run_folder / "evaluate", "metrics.json", json.dumps(numbers))
    point = {"epoch": 1, "metric": "image loss", "value": 0.5, "split": "train", "seed": 1}
    finish(config.run_folder / "pretrain", "curves.json", json.dumps({"records": [point]}))
    second = write_page(config).read_text()
    assert "Not measured yet" in first and "multimodal features helped" in second
    assert "image loss" in second
    assert "What to use for what" in second and "What to use for what" not in first
    assert "A ranker&#39;s input: open: aligned and popularity are not told apart" in second


def test_a_current_report_is_left_alone_and_a_damaged_one_is_not(extracted: Path) -> None:
    config = load_config(extracted)
    path = write_page(config)
    before, content = path.stat().st_mtime_ns, path.read_bytes()
    write_page(config)
    assert path.stat().st_mtime_ns == before
    path.write_bytes(content[:-1])
    write_page(config)
    assert path.read_bytes() == content


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = ordinary_rows(tmp_path)
    config, finished = make_config(tmp_path, rows), make_run([row["item_id"] for row in rows])
    assert written(config, finished).read_bytes() == written(config, finished).read_bytes()


def test_what_modalities_tell_of_one_another_is_a_section(tmp_path: Path) -> None:
    rows = ordinary_rows(tmp_path)
    config, finished = make_config(tmp_path, rows), make_run([row["item_id"] for row in rows])
    assert finished.alignment is not None
    forth, _ = finished.alignment.directions
    page = " ".join(written(config, finished).read_text().split())
    section = page[page.index('id="alignment"') :].partition("</details>")[0]
    assert "<p>In 1 of 2 directions a modality tells something.</p>" in section
    assert re.findall("<th scope=.row.>(.*?)</th><td>(.*?)</td>", section) == [
        ("image", "text"),
        ("text", "image"),
    ]
    for number in ("25.0% (0)", "-1.0% (0)", "10.0% (2.5%)", "50.0% (25.0%)", "9.5 (20.5)", "not sure"):
        assert number in section, number
    assert "on items it was not fitted on" not in section
    numbers = finished.alignment.model_copy(update={"forms": {"multimodal in linear form": [forth]}})
    full = replace(finished, results=replace(finished.results, alignment=numbers))
    page = " ".join(written(config, full).read_text().split())
    assert '<th scope="row">multimodal in linear form</th><td>text</td>' in page
    raw = written(config, make_run([row["item_id"] for row in rows], trained=False)).read_text()
    assert 'id="alignment"' not in raw


def test_without_extraction_there_is_nothing_to_report(tmp_path: Path) -> None:
    config = load_config(write_catalogue(tmp_path))
    with pytest.raises(RunFolderError, match="alignrec run"):
        write_page(config)
    with pytest.raises(RunFolderError, match="alignrec run"):
        write_report(config, RunFolder(config.run_folder), tmp_path / "page.html")
    assert not (tmp_path / "page.html").exists()


@pytest.mark.parametrize(
    ("stage", "name", "expected"),
    [("evaluate", "metrics.json", ResultsError), ("train", "curves.json", RunFolderError)],
)
def test_damaged_numbers_are_named(
    extracted: Path, tmp_path: Path, stage: str, name: str, expected: type[AlignRecError]
) -> None:
    shutil.copytree(extracted.parent, tmp_path / "own")
    config = load_config(tmp_path / "own" / "alignrec.yaml")
    finish(config.run_folder / stage, name, '{"records": [{"value": "high"}]}')
    with pytest.raises(expected, match=f"{name}.*Delete the folder {stage}"):
        write_page(config)


@pytest.mark.slow
def test_two_thousand_items_with_heavy_pictures_stay_below_fifteen_megabytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours_map, "project", lambda unit, _seed: unit[:, :2].astype(np.float64))
    rows = ordinary_rows(tmp_path, 30)
    rng = np.random.default_rng(1)
    for number in range(30):
        noise = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)
        Image.fromarray(noise).save(tmp_path / "images" / f"{number}.png")
    many = [
        rows[n % 30] | {"item_id": f"n{n}", "title": "標" * 300, "description": "題" * 900}
        for n in range(2100)
    ]
    report = written(make_config(tmp_path, many), make_run([row["item_id"] for row in many]))
    assert 5 * 10**6 < report.stat().st_size < 15 * 10**6
    assert "this page shows 2,000" in " ".join(report.read_text().split())
