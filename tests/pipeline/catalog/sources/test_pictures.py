from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.pipeline.catalog.sources.pictures import FOLDER_OF_PICTURES, open_interactions, open_items
from alignrec.pipeline.catalog.sources.source import SOURCES
from alignrec.pipeline.errors import CatalogError
from tests.pipeline.catalogues import picture


def _write(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(picture(1))


def test_every_picture_is_an_item(tmp_path: Path) -> None:
    _write(tmp_path, "train/dog/1.png", "train/cat/1.png", "train/cat/1.jpg", "x.PNG", ".hidden/1.png")
    table = open_items(tmp_path, tmp_path)
    assert [tuple(row.values()) for row in table.rows(table.columns)] == [
        ("train/cat/1.jpg", "train/cat/1.jpg", "cat"),
        ("train/cat/1.png", "train/cat/1.png", "cat"),
        ("train/dog/1", "train/dog/1.png", "dog"),
        ("x", "x.PNG", None),
    ]


def test_a_folder_is_recognised_by_pictures_and_no_table(tmp_path: Path) -> None:
    assert SOURCES["pictures"] is FOLDER_OF_PICTURES and FOLDER_OF_PICTURES.detect(tmp_path) is None
    _write(tmp_path, "a.png", "b.png")
    flat = FOLDER_OF_PICTURES.detect(tmp_path)
    assert flat is not None and flat.items == {"path": "pictures:.", "text": None}
    _write(tmp_path, "cat/a.png")
    labelled = FOLDER_OF_PICTURES.detect(tmp_path)
    assert labelled is not None and labelled.items["text"] == "{label}"
    (tmp_path / "metadata.csv").write_text("file_name,caption\n")
    assert FOLDER_OF_PICTURES.detect(tmp_path) is None


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="there is no folder"):
        open_items(tmp_path / "none", tmp_path)
    with pytest.raises(CatalogError, match="no interactions"):
        open_interactions(tmp_path)
