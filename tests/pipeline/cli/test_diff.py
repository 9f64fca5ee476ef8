from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from alignrec.pipeline.cli.app import app
from tests.export.hub_cases import make_release


def test_two_releases_on_a_terminal_and_as_json(tmp_path: Path) -> None:
    make_release(tmp_path / "a")
    make_release(tmp_path / "b", {"image": 1}, sets={"image": 8, "text": 6})
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    told = CliRunner().invoke(app, ["diff", *both], env={"COLUMNS": "200"})
    assert told.exit_code == 0, told.output
    assert "only A has the sets multimodal" in told.stdout
    assert "image" in told.stdout and "100%" in told.stdout
    answer = json.loads(CliRunner().invoke(app, ["diff", *both, "--json"]).stdout)
    assert [(one["name"], len(one["changed"])) for one in answer["sets"]] == [("image", 16), ("text", 0)]
    same = CliRunner().invoke(app, ["diff", both[0], both[0]])
    assert "The same content" in same.stdout
