from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.export import write_release
from alignrec.export.errors import ReleaseError
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.cli.diff import open_reference
from tests.export.hub_cases import features, make_release


def test_two_releases_on_a_terminal_and_as_json(tmp_path: Path) -> None:
    make_release(tmp_path / "a")
    make_release(tmp_path / "b", {"image": 1}, sets={"image": 8, "text": 6})
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    shown = CliRunner().invoke(app, ["diff", *both], env={"COLUMNS": "200"})
    assert shown.exit_code == 0, shown.output
    assert "Only A has the sets multimodal." in shown.stdout
    assert "image" in shown.stdout and "100%" not in shown.stdout
    whole = CliRunner().invoke(app, ["diff", *both, "--all"], env={"COLUMNS": "200"})
    assert "text" in whole.stdout and "100%" in whole.stdout
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


def _measured(folder: Path, recall: float, ndcg: float, **seeds: int) -> None:
    record = {"protocol": "zero-shot", "subject": "image", "against": None, "k": 20, "seed": None}
    record |= {"aggregate": None, "share": None, "low": None, "high": None}
    records = [
        record | {"metric": metric, "split": split, "value": value}
        for metric, value in (("recall", recall), ("ndcg", ndcg))
        for split in ("valid", "test")
    ]
    sets = [features(name, dim, seeds.get(name, 0)) for name, dim in (("image", 4), ("text", 6))]
    metrics = json.dumps({"format": 1, "records": records}).encode()
    write_release(folder, sets, [], {}, extractors={}, metrics=metrics)


def test_the_headline_comes_first_and_all_shows_the_rest(tmp_path: Path) -> None:
    _measured(tmp_path / "a", 0.2, 0.1)
    _measured(tmp_path / "b", 0.25, 0.125, image=1)
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    wide = {"COLUMNS": "200"}
    shown = CliRunner().invoke(app, ["diff", *both], env=wide).stdout.splitlines()
    assert shown[2:4] == [
        "Of the items 16 have other vectors, in image; text as before.",
        "recall@20 of image on test, zero-shot: 0.2000 → 0.2500 (+0.0500).",
    ]
    rows = [line.split()[0] for line in shown if line.startswith("  ") and line.strip()]
    assert rows.count("image") == 1 and rows.count("zero-shot") == 1 and "text" not in rows
    assert shown[-1] == "3 other numbers differ: --all shows them"
    whole = CliRunner().invoke(app, ["diff", *both, "--all"], env=wide).stdout.splitlines()
    rows = [line.split()[0] for line in whole if line.startswith("  ") and line.strip()]
    assert rows.count("text") == 1 and rows.count("zero-shot") == 4
    assert "--all" not in whole[-1]
    answer = json.loads(CliRunner().invoke(app, ["diff", *both, "--json"]).stdout)
    assert answer["headline"] == shown[2:4] and len(answer["metrics"]) == 4


def test_equal_content_can_be_measured_anew(tmp_path: Path) -> None:
    _measured(tmp_path / "a", 0.2, 0.1)
    _measured(tmp_path / "b", 0.25, 0.1)
    shown = CliRunner().invoke(
        app, ["diff", str(tmp_path / "a"), str(tmp_path / "b")], env={"COLUMNS": "200"}
    )
    lines = shown.stdout.splitlines()
    assert lines[2] == "The same content, to the byte." and "0.2000 → 0.2500" in lines[3]
