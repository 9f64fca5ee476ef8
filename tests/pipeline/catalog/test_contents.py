"""What rows give of any number of modalities: several pictures, several texts, some of them unusable."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from alignrec.pipeline.catalog.contents import MOST_PARTS, source_columns
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import Catalogue, read_catalogue
from alignrec.pipeline.config.catalog import CatalogConfig, ItemsConfig, ModalityConfig
from alignrec.pipeline.errors import CatalogError, ConfigError
from tests.pipeline.catalogues import picture, write_items


def _read(path: Path, modalities: dict[str, Any], **items: Any) -> Catalogue:
    config = CatalogConfig.model_validate({"items": {"path": str(path), **items}, "modalities": modalities})
    return read_catalogue(config.items, FileHashes(), config.modalities)


def _pictures(folder: Path, count: int) -> list[str]:
    for number in range(count):
        (folder / f"{number}.png").write_bytes(picture(number))
    return [sha256(picture(number)).hexdigest() for number in range(count)]


def test_every_picture_of_every_column_is_an_input_and_an_unusable_one_is_counted(tmp_path: Path) -> None:
    digests = _pictures(tmp_path, 3)
    rows = [
        {"item_id": "both", "front": "0.png", "back": "1.png|2.png"},
        {"item_id": "half", "front": "absent.png", "back": ["1.png"]},
        {"item_id": "none", "front": None, "back": ""},
        {"item_id": "bad", "front": "absent.png", "back": None},
    ]
    photo = {"type": "image", "columns": ["front", "back"]}
    catalogue = _read(write_items(tmp_path, rows), {"photo": photo})
    found = [(one.item_id, one.part, one.digest) for one in catalogue.inputs["photo"]]
    assert found == [*(("both", n, digests[n]) for n in range(3)), ("half", 1, digests[1])]
    rejected = [(one.item_id, one.modality, one.reason) for one in catalogue.rejections]
    assert rejected == [
        ("half", "photo", "not-found"),
        ("none", "photo", "missing"),
        ("bad", "photo", "not-found"),
    ]
    assert list(catalogue.inputs) == ["photo"], "no other modality by default"


def test_the_first_so_many_pictures_are_read_and_a_note_says_so(tmp_path: Path) -> None:
    _pictures(tmp_path, 1)
    rows = [{"item_id": "a", "photos": ["0.png"] * (MOST_PARTS + 1)}, {"item_id": "b", "photos": "0.png"}]
    catalogue = _read(write_items(tmp_path, rows), {"photo": {"type": "image", "columns": "photos"}})
    assert len(catalogue.inputs["photo"]) == MOST_PARTS + 1
    [note] = catalogue.notes
    assert note.startswith("1 items name more than 16 pictures in 'photos'")


def test_an_empty_text_of_several_is_no_rejection(tmp_path: Path) -> None:
    rows = [
        {"item_id": "a", "title": "A", "plot": "Long."},
        {"item_id": "b", "title": "B", "plot": None},
        {"item_id": "c", "title": "", "plot": ""},
    ]
    words = {"type": "text", "template": ["{title}", "{plot}"]}
    catalogue = _read(write_items(tmp_path, rows), {"words": words}, text="{title}")
    values = [(one.item_id, one.part, one.value) for one in catalogue.inputs["words"]]
    assert values == [("a", 0, "A"), ("a", 1, "Long."), ("b", 0, "B")]
    rejected = [(one.item_id, one.modality) for one in catalogue.rejections]
    assert rejected == [("c", "text"), ("c", "words")]
    assert [one.value for one in catalogue.inputs["text"]] == ["A", "B"], (
        "the short form, where it is written"
    )


def test_what_is_wrong_is_said_by_the_key_that_says_where(tmp_path: Path) -> None:
    path = write_items(tmp_path, [{"item_id": "a", "title": "A", "plot": None}])
    for modality, expected, error in (
        ({"type": "text", "template": "{tilte}"}, r"catalog\.modalities\.words \({tilte}\)", CatalogError),
        ({"type": "text", "template": "{plot}"}, r"Check catalog\.modalities\.words, or take", CatalogError),
        ({"type": "text", "template": "{plot"}, r"catalog\.modalities\.words: ", ConfigError),
        ({"type": "image", "columns": ["title", "x"]}, r"catalog\.modalities\.words \(x\)", CatalogError),
    ):
        with pytest.raises(error, match=expected):
            _read(path, {"words": modality})


def test_a_modality_knows_the_columns_that_it_is_made_of() -> None:
    text = ModalityConfig(type="text", template=("{title} ({year})", "{title}. {plot}"))
    assert source_columns(text) == ("title", "year", "plot")
    assert source_columns(ModalityConfig(type="image", columns=("front", "back"))) == ("front", "back")
    short = CatalogConfig(items=ItemsConfig(path="x", text="{title}"))
    assert {name: source_columns(one) for name, one in short.located.items()} == {
        "image": ("image",),
        "text": ("title",),
    }
