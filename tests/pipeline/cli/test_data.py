from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from alignrec.pipeline.cli.data import register
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import CatalogError, ConfigError
from tests.pipeline.catalogues import write_catalogue

app = typer.Typer()
register(app)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return write_catalogue(tmp_path / "my shop")


def test_init_writes_a_config_that_loads(config: Path) -> None:
    config.unlink()
    answer = CliRunner().invoke(app, ["init", str(config.parent)])
    assert (answer.exit_code, answer.stdout) == (0, f"{config}\n")
    loaded = load_config(config)
    assert loaded.name == "my-shop" and loaded.catalog.interactions is not None
    tables = (loaded.catalog.items.path, loaded.catalog.interactions.path)
    assert [Path(table).name for table in tables] == ["items.jsonl", "interactions.csv"]


def test_init_writes_the_papers_config_and_says_what_to_get(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["init", str(tmp_path), "--preset", "paper-sports"])
    assert (answer.exit_code, answer.stdout) == (0, f"{tmp_path / 'alignrec.yaml'}\n")
    assert "/categoryFiles/reviews_Sports_and_Outdoors_5.json.gz\n" in answer.stderr
    assert load_config(tmp_path / "alignrec.yaml").name == "paper-sports"


def test_init_keeps_a_config_unless_it_is_forced(config: Path) -> None:
    before = config.read_bytes()
    refused = CliRunner().invoke(app, ["init", str(config.parent)])
    assert isinstance(refused.exception, ConfigError)
    assert str(refused.exception) == f"{config} is there already: --force replaces it"
    assert config.read_bytes() == before
    assert CliRunner().invoke(app, ["init", str(config.parent), "--force"]).exit_code == 0
    assert config.read_bytes() != before


def test_download_says_what_a_column_without_urls_holds(config: Path) -> None:
    answer = CliRunner().invoke(app, ["download", "-c", str(config), "--json"])
    assert isinstance(answer.exception, CatalogError)
    words = str(answer.exception)
    assert "no cell of 'image', which catalog.items.image names, holds the URL of a picture: 6 rows" in words
    assert "'images/2.png' (1 ×)" in words and words.endswith(
        "pictures in files or in the table need no download."
    )
