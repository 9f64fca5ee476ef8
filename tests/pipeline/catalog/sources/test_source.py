"""Sources by their names: unknown ones, files with a colon, and one of a plugin."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.core import plugins
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import read_interactions
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.sources.source import SOURCES, open_interactions, open_items
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import CatalogError
from tests.pipeline.catalog.tables import interaction_rows, item_rows

PLUGIN = """
from alignrec.pipeline.catalog.formats.format import TableFormat
from alignrec.pipeline.catalog.sources.source import Draft, Source
from alignrec.pipeline.catalog.tables import table_of_rows

def table(file, columns):
    def rows():
        for line in file.read_text().splitlines():
            yield dict(zip(columns, line.split("|")))
    return table_of_rows(str(file), columns, rows)

def detect(folder):
    if not (folder / "own.items").is_file():
        return None
    return Draft(
        {"path": "own-shop:own.items", "image": None, "text": "{title}"},
        {"path": "log.pipes", "user": "who", "item": "what"},
    )

shop = Source(
    "own-shop",
    lambda file, pictures: table(file, ("item_id", "title")),
    lambda file: table(file, ("user_id", "item_id")),
    detect,
)
pipes = TableFormat("pipes", (".pipes",), lambda file: table(file, ("who", "what")))
"""


@pytest.mark.parametrize(
    ("asked", "there"), [("amazon-2018:meta.json", "Meta.json"), ("item.csv", "items.csv")]
)
def test_the_nearest_file_is_named(tmp_path: Path, asked: str, there: str) -> None:
    (tmp_path / there).touch()
    scheme, _, name = asked.rpartition(":")
    path = f"{scheme}:{tmp_path / name}" if scheme else str(tmp_path / name)
    with pytest.raises(CatalogError, match=f"Did you mean .*/{there}\\?"):
        item_rows(path, tmp_path)


def test_an_unknown_source_is_named_and_a_file_with_a_colon_opens(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        CatalogError, match=r"no source 'amazon-2081', nor a file.*did you mean 'amazon-2018'"
    ):
        open_items("amazon-2081:meta.json", tmp_path)
    with pytest.raises(CatalogError, match="no source 'movie', nor a file of that whole name"):
        open_interactions("movie:log.csv")
    Path("movie:log.csv").write_text("a,b\n1,2\n")
    assert interaction_rows("movie:log.csv") == [{"a": "1", "b": "2"}]


def test_a_plugin_adds_a_source_and_a_table_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_files", {})
    (tmp_path / "own.items").write_text("1|Mug\n2|Cup\n")
    (tmp_path / "log.pipes").write_text("x|2\ny|1\n")
    (tmp_path / "plugin.py").write_text(PLUGIN)
    ended = CliRunner().invoke(app, ["init", str(tmp_path), "--plugin", str(tmp_path / "plugin.py")])
    assert ended.exit_code == 0, ended.exception
    monkeypatch.setattr(plugins, "_files", {})
    assert "own-shop" not in SOURCES
    config = load_config(tmp_path / "alignrec.yaml")
    assert config.plugins == (tmp_path / "plugin.py",)
    catalogue = read_catalogue(config.catalog.items, FileHashes())
    assert [(one.item_id, one.value) for one in catalogue.inputs["text"]] == [("1", "Mug"), ("2", "Cup")]
    assert config.catalog.interactions is not None
    table = read_interactions(config.catalog.interactions, catalogue.item_ids).table
    assert table.select(["user_id", "item_id"]).to_pylist() == [
        {"user_id": "x", "item_id": "2"},
        {"user_id": "y", "item_id": "1"},
    ]
