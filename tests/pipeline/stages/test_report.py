"""The report stage: it shows what there is, and is stale when that changes."""

from __future__ import annotations

from pathlib import Path

from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.report import STAGE


def inputs(run: Path, items: str = "x", title: str = "{title}") -> object:
    catalog = {"items": {"path": items, "text": title}}
    config = Config.model_validate({"out": run, "catalog": catalog})
    return STAGE.plan(StageContext(config, STAGE, {})).inputs


def test_what_it_shows_decides_and_where_things_lie_does_not(tmp_path: Path) -> None:
    before = inputs(tmp_path)
    assert before == inputs(tmp_path, items="elsewhere/y") != inputs(tmp_path, title="{name}")
    (tmp_path / "evaluate").mkdir()
    StageManifest("evaluate", {}, {"metrics.json": (1, "0")}, {}).write(tmp_path / "evaluate" / "stage.json")
    assert inputs(tmp_path) != before
