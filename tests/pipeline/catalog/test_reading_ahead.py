"""A store is asked for several pictures at a time, and for none but those that are read."""

from __future__ import annotations

from pathlib import Path
from threading import Barrier

import pytest

from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.catalog.reading_ahead import AHEAD
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.errors import CatalogError
from tests.pipeline.catalogues import picture, write_items
from tests.pipeline.object_store import ObjectStore, object_store


def _config(folder: Path, store: ObjectStore, pictures: int) -> ItemsConfig:
    for number in range(pictures):
        store.put("shop", f"{number}.png", picture(number))
    rows = [{"item_id": f"i{number}", "image": f"{number}.png"} for number in range(pictures)]
    return ItemsConfig(path=str(write_items(folder, rows)), text=None, image_root="s3://shop")


def test_pictures_are_asked_for_side_by_side_and_kept_in_order(tmp_path: Path) -> None:
    with object_store() as store:
        config = _config(tmp_path, store, AHEAD + 8)
        # Each answer waits for three more requests, and fails where none come.
        store.meeting = Barrier(4, timeout=30)
        inputs = read_catalogue(config, FileHashes()).inputs["image"]
        assert [one.item_id for one in inputs] == [f"i{number}" for number in range(AHEAD + 8)]
        assert len(store.read) == AHEAD + 8
        store.meeting = None
        assert [one.file_bytes() for one in inputs[:3]] == [picture(number) for number in range(3)]


def test_only_the_pictures_of_wanted_items_are_read(tmp_path: Path) -> None:
    with object_store() as store:
        config = _config(tmp_path, store, 5)
        read_catalogue(config, FileHashes(), only={"i1", "i3"})
        assert sorted(store.read) == ["1.png", "3.png"]


def test_a_store_that_goes_away_while_it_is_read_ends_the_run(tmp_path: Path) -> None:
    with object_store() as store:
        config = _config(tmp_path, store, 60)
        store.closed_after = 1
        with pytest.raises(CatalogError, match=r"s3://shop/\d+\.png cannot be read"):
            read_catalogue(config, FileHashes())
