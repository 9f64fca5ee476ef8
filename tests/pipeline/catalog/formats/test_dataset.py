from __future__ import annotations

from pathlib import Path

import datasets
import pytest

from alignrec.pipeline.catalog.formats.dataset import open_dataset_folder, table_of_dataset
from alignrec.pipeline.catalog.formats.format import open_table
from alignrec.pipeline.catalog.items import image_root
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.config.catalog import ItemsConfig
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


def _splits(**ids: list[str]) -> datasets.DatasetDict:
    return datasets.DatasetDict(
        {name: datasets.Dataset.from_dict({"id": some}) for name, some in ids.items()}
    )


def _ids(table: Table) -> list[str]:
    return [row["id"] for row in table.rows(["id"])]


def test_all_splits_are_the_table_unless_one_is_named(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    _splits(train=["a", "b"], validation=["c"], test=["d"]).save_to_disk(str(folder))
    whole = open_table(str(folder))
    assert _ids(whole) == ["a", "b", "c", "d"]
    assert whole.notes == (f"{folder}: all splits are read, train 2, validation 1, test 1 rows.",)
    one = open_table(f"{folder}#validation")
    assert (_ids(one), one.notes, one.where) == (["c"], (), str(folder))


def test_a_split_that_is_not_there_is_answered_with_those_that_are(tmp_path: Path) -> None:
    _splits(train=["a"], test=["b"]).save_to_disk(str(tmp_path))
    with pytest.raises(
        CatalogError, match=r"no split 'trian'; did you mean 'train'\?. It has: train, test\."
    ):
        open_dataset_folder(Path(f"{tmp_path}#trian"))
    alone = datasets.Dataset.from_dict({"id": ["a"]})
    with pytest.raises(CatalogError, match="no split 'dev'; known: train"):
        table_of_dataset(alone, "x", "dev")


def test_a_folder_whose_own_name_has_a_hash_is_itself(tmp_path: Path) -> None:
    for name, ids in {"saved": ["a"], "saved#train": ["b"]}.items():
        datasets.Dataset.from_dict({"id": ids}).save_to_disk(str(tmp_path / name))
    assert _ids(open_table(f"{tmp_path}/saved#train")) == ["b"]


def test_splits_that_do_not_go_together_are_not_mixed() -> None:
    apart = {"items": datasets.Dataset.from_dict({"id": ["a"]})}
    apart["log"] = datasets.Dataset.from_dict({"user": ["u"], "id": ["a"]})
    with pytest.raises(CatalogError, match=r"items has id; log has user, id\. Name one: x#items"):
        table_of_dataset(apart, "x")
    mixed = {"train": apart["items"], "test": datasets.Dataset.from_dict({"id": [[1]]})}
    with pytest.raises(CatalogError, match=r"its splits train, test do not go together.*Name one: x#train"):
        table_of_dataset(mixed, "x")


def test_the_pictures_of_a_split_lie_below_the_dataset(tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    _splits(train=["a"], test=["b"]).save_to_disk(str(folder))
    (folder / "a.png").write_bytes(picture(1))
    assert image_root(ItemsConfig(path=f"{folder}#train")) == folder
