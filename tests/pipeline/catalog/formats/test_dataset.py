from __future__ import annotations

from pathlib import Path

import datasets
import pytest

from alignrec.pipeline.catalog.formats.dataset import open_dataset_folder, table_of_dataset
from alignrec.pipeline.errors import CatalogError
from tests.pipeline.catalogues import picture

FEATURES = datasets.Features({"id": datasets.Value("string"), "image": datasets.Image()})


def test_pictures_stay_as_they_are_stored(tmp_path: Path) -> None:
    images = [{"bytes": picture(n), "path": None} for n in range(3)]
    dataset = datasets.Dataset.from_dict({"id": ["a", "b", "c"], "image": images}, features=FEATURES)
    dataset.select([2, 0]).save_to_disk(str(tmp_path / "saved"))
    table = open_dataset_folder(tmp_path / "saved")
    assert table.columns == ("id", "image")
    assert list(table.rows(["image", "id"])) == [
        {"image": images[2], "id": "c"},
        {"image": images[0], "id": "a"},
    ]
    assert list(table.rows(["id"], 1)) == [{"id": "a"}]


def test_the_train_split_is_the_table() -> None:
    parts = {name: datasets.Dataset.from_dict({"id": [name]}) for name in ("test", "train", "other")}
    assert list(table_of_dataset(parts, "x").rows(["id"])) == [{"id": "train"}]
    assert list(table_of_dataset({"test": parts["test"]}, "x").rows(["id"])) == [{"id": "test"}]
    del parts["train"]
    with pytest.raises(CatalogError, match="x has the splits test, other, and none is called train"):
        table_of_dataset(parts, "x")
