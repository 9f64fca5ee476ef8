"""A data set is read the way LensKit reads it; by LensKit itself where it is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.export.errors import ReleaseError
from alignrec.export.formats.convert import write_as
from alignrec.export.formats.lenskit import FORMAT
from tests.export.formats.cases import IDS, make, split_interactions


def rows(path: Path) -> list[dict[str, Any]]:
    return pq.read_table(path).to_pylist()


def test_a_folder_is_what_lenskit_saves(tmp_path: Path) -> None:
    image, text = make("image"), make("side-text", 2, 0)
    write_as(FORMAT.name, [image, text], tmp_path / "shop", split_interactions())
    data = tmp_path / "shop" / "dataset"
    items = pq.read_table(data / "item.parquet")
    ids = items["item_id"].to_pylist()
    assert ids == sorted(IDS) and items.schema.field("image").type == pa.list_(pa.float32())
    for features, column in ((image, "image"), (text, "side_text")):
        matrix, valid = features.align_to(ids)
        found = items[column].to_pylist()
        assert [vector is not None for vector in found] == valid.tolist()
        np.testing.assert_array_equal([vector for vector in found if vector is not None], matrix[valid])
    users = [row["user_id"] for row in rows(data / "user.parquet")]
    training = [
        (users[row["user_num"]], ids[row["item_num"]], row["rating"])
        for row in rows(data / "interaction.parquet")
    ]
    assert training == [("0002", "a/b", 4.0), ("u0", "0001", 5.0), ("u1", "a/b", 4.0)]
    times = pq.read_table(data / "interaction.parquet")["timestamp"]
    assert times.cast(pa.timestamp("s")).cast(pa.int64()).to_pylist() == [884183241, 884183238, 884183237]
    schema = json.loads((data / "schema.json").read_text())
    assert schema["entities"]["item"]["attributes"]["side_text"] == {"layout": "vector", "vector_size": 2}
    assert schema["relationships"]["interaction"]["repeats"] == "forbidden"
    assert rows(tmp_path / "shop" / "valid.parquet") == [
        {"user_id": "u1", "items": [{"item_id": "0001", "rating": 4.0}]}
    ]
    assert rows(tmp_path / "shop" / "test.parquet") == [
        {"user_id": "u1", "items": [{"item_id": 'quo"te', "rating": 5.0}]}
    ]


def test_lenskit_itself_loads_it(tmp_path: Path) -> None:
    data = pytest.importorskip("lenskit.data")
    image = make("image")
    write_as(FORMAT.name, [image], tmp_path / "shop", split_interactions())
    dataset = data.Dataset.load(tmp_path / "shop" / "dataset")
    assert (dataset.item_count, dataset.user_count, dataset.interaction_count) == (len(IDS), 3, 3)
    ids = dataset.entities("item").ids().tolist()
    matrix, valid = image.align_to(ids)
    np.testing.assert_array_equal(dataset.entities("item").attribute("image").numpy()[valid], matrix[valid])
    assert dataset.user_row("u0").ids().tolist() == ["0001"]
    test = data.ItemListCollection.load_parquet(tmp_path / "shop" / "test.parquet")
    assert test.lookup(user_id="u1").ids().tolist() == ['quo"te']


def test_a_release_without_a_run_is_items_alone(tmp_path: Path) -> None:
    write_as(FORMAT.name, [make()], tmp_path / "shop")
    assert [path.name for path in (tmp_path / "shop").iterdir()] == ["dataset"]
    assert not rows(tmp_path / "shop" / "dataset" / "interaction.parquet")


def test_names_that_meet_and_items_without_features_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="one name: a-b, a_b"):
        write_as(FORMAT.name, [make("a-b"), make("a_b")], tmp_path / "shop")
    with pytest.raises(ReleaseError, match="2 items of the interactions have no features, such as '0001'"):
        write_as(FORMAT.name, [make(ids=["a/b", "x"])], tmp_path / "shop", split_interactions())
