"""`--plugin`: a file outside the project whose things a command finds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import typer
import yaml
from typer.testing import CliRunner

from alignrec.core import plugins
from alignrec.core.plugins import PluginError
from alignrec.export import load_features
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.cli.plugins import Plugins
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run
from tests.extractors.test_documented import SNIPPETS
from tests.pipeline.catalogues import write_catalogue


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    """No plugin of another test is loaded, and none of this one stays."""
    monkeypatch.setattr(plugins, "_files", {})


def test_every_file_is_loaded_once_before_the_command_begins(tmp_path: Path) -> None:
    files = [tmp_path / "one.py", tmp_path / "two.py"]
    for file in files:
        file.write_text("")
    commands, seen = typer.Typer(), []

    @commands.command()
    def command(plugins_of_the_user: Plugins = None) -> None:
        seen.append((plugins_of_the_user, list(plugins._files)))

    options = [word for file in [*files, files[0]] for word in ("--plugin", str(file))]
    answer = CliRunner().invoke(commands, options)
    assert answer.exit_code == 0, answer.exception
    assert seen == [([*files, files[0]], files)]
    assert CliRunner().invoke(commands, []).exit_code == 0
    assert [given for given, _loaded in seen] == [[*files, files[0]], None]


@pytest.mark.parametrize("command", ["encode", "extend"])
def test_a_file_that_is_not_there_is_named(tmp_path: Path, command: str) -> None:
    absent = tmp_path / "absent.py"
    options = ["--release", str(tmp_path), "--out", str(tmp_path / "out"), "--plugin", str(absent)]
    answer = CliRunner().invoke(app, [command, "items.jsonl", *options])
    assert isinstance(answer.exception, PluginError)
    assert str(answer.exception) == f"there is no plugin file {absent}"
    assert list(tmp_path.iterdir()) == []


def test_encode_finds_a_plugins_extractor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_catalogue(tmp_path)
    file = tmp_path / "colour.py"
    file.write_text("\n\n".join(SNIPPETS), encoding="utf-8")
    settings = yaml.safe_load(config.read_text())
    settings["plugins"] = ["colour.py"]
    settings["catalog"] = {"items": {"path": "items.jsonl", "text": None}}
    settings["extract"]["image"] = "colour:histogram"
    settings["export"] = {"sets": ["image"]}
    config.write_text(yaml.safe_dump(settings))
    release = run(config, console=Console(quiet=True)).release
    monkeypatch.setattr(plugins, "_files", {})

    encode = ["encode", str(tmp_path / "items.jsonl"), "--release", str(release), "--json"]
    without = CliRunner().invoke(app, [*encode, "--out", str(tmp_path / "without")])
    assert without.exit_code != 0 and "colour" in str(without.exception)
    answer = CliRunner().invoke(app, [*encode, "--out", str(tmp_path / "work"), "--plugin", str(file)])
    assert answer.exit_code == 0, answer.exception
    folder = json.loads(answer.stdout.splitlines()[-1])["folder"]
    old, new = load_features(str(release), "image"), load_features(folder, "image")
    assert new.ids == old.ids and len(new.ids) == 6
    np.testing.assert_array_equal(new.matrix, old.matrix)
