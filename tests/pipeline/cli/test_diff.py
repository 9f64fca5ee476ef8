from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.export.errors import ReleaseError
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.cli.diff import open_reference
from tests.export.hub_cases import make_release


def test_two_releases_on_a_terminal_and_as_json(tmp_path: Path) -> None:
    make_release(tmp_path / "a")
    make_release(tmp_path / "b", {"image": 1}, sets={"image": 8, "text": 6})
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    shown = CliRunner().invoke(app, ["diff", *both], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    assert "only A has the sets multimodal" in shown.stdout
    assert "image" in shown.stdout and "100%" in shown.stdout
    answer = json.loads(CliRunner().invoke(app, ["diff", *both, "--json"]).stdout)
    assert [(one["name"], len(one["changed"])) for one in answer["sets"]] == [("image", 16), ("text", 0)]
    same = CliRunner().invoke(app, ["diff", both[0], both[0]])
    assert "The same content" in same.stdout


def test_a_reference_is_a_folder_or_a_name_on_the_hub(tmp_path: Path) -> None:
    manifest = make_release(tmp_path / "a")
    release = open_reference(str(tmp_path / "a"))
    assert (release.where, release.manifest) == (str(tmp_path / "a"), manifest)
    with pytest.raises(ReleaseError, match="team/features@one is not a release"):
        open_reference("team/features@one")
