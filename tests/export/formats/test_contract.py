"""A format is one file that holds one object: here a plugin outside the project's tree."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.core import plugins
from alignrec.core.plugins import load_plugins
from alignrec.export.formats.contract import Format
from alignrec.export.formats.convert import FORMATS, convert
from alignrec.export.release.opened import open_folder
from alignrec.pipeline.cli.app import app
from tests.export.hub_cases import features, make_release

WORDS = """
from alignrec.export.formats.contract import Format


def write(sets, folder, interactions):
    (features,) = sets
    lines = [f"{i} {' '.join(map(str, v))}" for i, v in zip(features.ids, features.matrix)]
    (folder / f"{folder.name}.vec").write_text("\\n".join(lines))


FORMAT = Format(name="word-vectors", description="a text file, as word2vec writes it", write=write)
"""


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(plugins, "_files", {})
    (tmp_path / "words.py").write_text(WORDS)
    return tmp_path / "words.py"


def expected() -> list[str]:
    image = features("image", 8)
    return [f"{i} {' '.join(map(str, v))}" for i, v in zip(image.ids, image.matrix, strict=True)]


def test_a_format_of_a_plugin_is_found_and_written(tmp_path: Path, plugin: Path) -> None:
    assert "word-vectors" not in FORMATS
    load_plugins([plugin])
    assert isinstance(FORMATS["word-vectors"], Format)
    assert FORMATS["word-vectors"].description == "a text file, as word2vec writes it"
    make_release(tmp_path / "r")
    assert convert(open_folder(tmp_path / "r"), "word-vectors", tmp_path / "shop", ["image"]) == ["image"]
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["shop.vec"]
    assert (tmp_path / "shop" / "shop.vec").read_text().splitlines() == expected()


def test_the_command_line_knows_it(tmp_path: Path, plugin: Path) -> None:
    load_plugins([plugin])
    make_release(tmp_path / "r")
    command = ["pull", str(tmp_path / "r"), "--to", str(tmp_path / "shop")]
    ended = CliRunner().invoke(app, [*command, "--format", "word-vectors", "--set", "image"])
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "shop" / "shop.vec").read_text().splitlines() == expected()
    listed = CliRunner().invoke(app, ["convert", "--help"], env={"COLUMNS": "200"}).output
    assert "word-vectors: a text file, as word2vec writes it" in listed
