from __future__ import annotations

import base64
import errno
import os
from collections import Counter
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.core.files import open_regular
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import Catalogue, read_catalogue
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.errors import CatalogError, ConfigError
from tests.conftest import SHARED
from tests.pipeline.catalogues import picture, write_items


def _read(path: Path, **settings: Any) -> Catalogue:
    return read_catalogue(ItemsConfig(path=str(path), text="{title}", **settings), FileHashes())


def _reasons(catalogue: Catalogue) -> Counter[str]:
    return Counter(rejection.reason for rejection in catalogue.rejections)


def test_every_unusable_row_is_counted_and_none_stops_the_rest(tmp_path: Path) -> None:
    (tmp_path / "in.png").write_bytes(picture(0))
    (tmp_path.parent / "out.png").write_bytes(picture(1))
    (tmp_path / "link.png").symlink_to(tmp_path.parent / "out.png")
    rows = [
        {"item_id": "a", "title": "A", "image": "in.png"},
        {"item_id": "a", "title": "again", "image": "in.png"},
        {"item_id": None, "title": "no id", "image": "in.png"},
        {"item_id": "b", "title": "B", "image": "../out.png"},
        {"item_id": "c", "title": "C", "image": "link.png"},
        {"item_id": "d", "title": "D", "image": "none.png"},
        {"item_id": "e", "title": "", "image": None},
        {"item_id": "f", "title": {"x": 1}, "image": 7},
        {"item_id": 7, "title": "seven", "image": str(tmp_path / "in.png")},
    ]
    catalogue = _read(write_items(tmp_path, rows))
    assert catalogue.item_ids == ["a", "b", "c", "d", "e", "f", "7"]
    assert [i.item_id for i in catalogue.inputs["image"]] == ["a", "7"]
    assert [i.item_id for i in catalogue.inputs["text"]] == ["a", "b", "c", "d", "7"]
    assert _reasons(catalogue) == {
        "duplicate-id": 1,
        "no-id": 1,
        "outside-root": 2,
        "not-found": 1,
        "missing": 2,
        "not-text": 1,
        "not-a-path": 1,
    }


def test_embedded_pictures_are_read_in_any_range(tmp_path: Path) -> None:
    images: list[Any] = [{"bytes": picture(n), "path": None} for n in range(10)]
    images[3] = None
    path = tmp_path / "items.parquet"
    table = pa.table({"item_id": [str(n) for n in range(10)], "title": ["t"] * 10, "image": images})
    pq.write_table(table, path, row_group_size=3)
    catalogue = _read(path)
    assert len(catalogue.inputs["image"]) == 9
    assert all(item.value is None for item in catalogue.inputs["image"])
    assert list(catalogue.embedded(["image"], 2, 6)) == [(n, 0, picture(n)) for n in (2, 4, 5)]


def test_a_saved_dataset_with_an_image_column_is_a_catalogue(tmp_path: Path) -> None:
    import datasets

    (tmp_path / "one.png").write_bytes(picture(1))
    features = datasets.Features(
        {"item_id": datasets.Value("string"), "title": datasets.Value("string"), "image": datasets.Image()}
    )
    rows = {"item_id": ["1"], "title": ["one"], "image": [{"bytes": picture(1), "path": None}]}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "saved"))
    catalogue = _read(tmp_path / "saved")
    assert list(catalogue.embedded(["image"], 0, 1)) == [(0, 0, picture(1))]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"image": "img"}, "catalog.items.image names"),
        ({"id": "item"}, "did you mean 'item_id'"),
        ({"image_root": Path("nowhere")}, "there is no folder"),
    ],
)
def test_a_config_that_does_not_fit_the_table_is_named(
    tmp_path: Path, settings: dict[str, Any], expected: str
) -> None:
    path = write_items(tmp_path, [{"item_id": "a", "title": "A", "image": None}])
    with pytest.raises(CatalogError, match=expected):
        _read(path, **settings)


def test_templates_name_columns_and_nothing_else(tmp_path: Path) -> None:
    path = write_items(tmp_path, [{"item_id": "a", "title": "A"}])
    with pytest.raises(ConfigError, match=r"catalog\.items\.text"):
        read_catalogue(ItemsConfig(path=str(path), image=None, text="{title.upper}"), FileHashes())
    with pytest.raises(CatalogError, match=r"no column 'titel'.*did you mean 'title'"):
        read_catalogue(ItemsConfig(path=str(path), image=None, text="{titel}"), FileHashes())


def test_a_table_without_usable_items_or_pictures_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="not one of 1 items has image"):
        _read(write_items(tmp_path, [{"item_id": "a", "title": "A", "image": None}]))
    with pytest.raises(CatalogError, match="no usable item"):
        _read(write_items(tmp_path, [{"item_id": None, "title": "A", "image": None}]))
    with pytest.raises(CatalogError, match="is empty: expected rows"):
        _read(write_items(tmp_path, []))


def test_items_may_lack_a_modality_but_not_all(tmp_path: Path) -> None:
    path = write_items(tmp_path, [{"item_id": "a", "title": "A", "image": None}, {"item_id": "b"}])
    config = ItemsConfig(path=str(path), text="{title}")
    found = read_catalogue(config, FileHashes(), may_lack=True)
    assert [one.item_id for one in found.inputs["text"]] == ["a"] and found.inputs["image"] == []
    assert found.notes == [f"{path}: no item has image."]
    write_items(tmp_path, [{"item_id": "a", "title": "", "image": None}])
    with pytest.raises(CatalogError, match="not one of 1 items has image"):
        read_catalogue(config, FileHashes(), may_lack=True)


def test_one_bad_picture_of_any_kind_is_one_rejection(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "good.png").write_bytes(picture(0))
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    for name in ("closed.png", "broken.png"):
        (tmp_path / name).write_bytes(picture(1))
    with (tmp_path / "sparse.png").open("wb") as sparse:
        sparse.truncate(5 * 2**30)
    names = ["good.png", "loop", "folder", "pipe", "closed.png", "broken.png", "sparse.png"]
    names += ["half\ud800.png", "good.png/x", "x" * 300, "a\0b"]

    def opened(path: Path, most: int | None = None) -> IO[bytes]:
        failing = {"closed.png": errno.EACCES, "broken.png": errno.EIO}
        if code := failing.get(path.name):
            raise OSError(code, os.strerror(code), str(path))
        return open_regular(path, most)

    monkeypatch.setattr("alignrec.pipeline.catalog.file_hashes.open_regular", opened)
    rows = [{"item_id": str(n), "title": "t", "image": name} for n, name in enumerate(names)]
    catalogue = _read(write_items(tmp_path, rows))
    assert [item.item_id for item in catalogue.inputs["image"]] == ["0"]
    assert [(r.item_id, r.reason) for r in catalogue.rejections] == [
        ("1", "link-loop"),
        ("2", "not-a-file"),
        ("3", "not-a-file"),
        ("4", "unreadable"),
        ("5", "unreadable"),
        ("6", "too-large"),
        ("7", "not-a-path"),
        ("8", "not-found"),
        ("9", "not-found"),
        ("10", "not-a-path"),
    ]
    assert "Permission denied" in catalogue.rejections[3].detail
    assert "5,368,709,120 bytes" in catalogue.rejections[5].detail
    for rejection in catalogue.rejections:
        rejection.detail.encode()


def test_several_pictures_a_cell_and_pictures_in_base64_are_read_the_first_of_each(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(picture(0))
    text = base64.b64encode(picture(1)).decode()
    cells = ["a.png|b.png", text, ["a.png", "b.png"], [f"data:image/png;base64,{text}", "a.png"], "a.png"]
    rows = [{"item_id": str(n), "title": "t", "image": cell} for n, cell in enumerate(cells)]
    catalogue = _read(write_items(tmp_path, rows))
    assert catalogue.rejections == []
    assert catalogue.notes == ["3 items name several pictures in 'image': the first of each is read."]
    assert list(catalogue.embedded(["image"], 0, 5)) == [(1, 0, picture(1)), (3, 0, picture(1))]
    digests = [sha256(picture(n)).hexdigest() for n in (0, 1, 0, 1, 0)]
    assert [one.digest for one in catalogue.inputs["image"]] == digests


def test_a_saved_dataset_with_lists_of_images_is_a_catalogue(tmp_path: Path) -> None:
    import datasets

    features = datasets.Features({"item_id": datasets.Value("string"), "title": datasets.Value("string")})
    features["image"] = datasets.Sequence(datasets.Image())
    images = [[{"bytes": picture(1), "path": None}, {"bytes": picture(2), "path": None}], []]
    rows = {"item_id": ["1", "2"], "title": ["one", "two"], "image": images}
    datasets.Dataset.from_dict(rows, features=features).save_to_disk(str(tmp_path / "saved"))
    catalogue = _read(tmp_path / "saved")
    assert list(catalogue.embedded(["image"], 0, 2)) == [(0, 0, picture(1)), (0, 1, picture(2))]
    assert _reasons(catalogue) == {"missing": 1} and len(catalogue.notes) == 1


def test_the_fashion_shop_has_several_pictures_in_a_cell() -> None:
    folder = SHARED / "data" / "hm"
    if not folder.is_dir():
        pytest.skip("the fashion shop is not beside the project")
    config = ItemsConfig(path=str(folder / "items.csv"), id="product_id", image="images", text="{name}")
    catalogue = read_catalogue(config, FileHashes())
    assert [r.reason for r in catalogue.rejections if r.modality == "image" and r.reason != "missing"] == []
    assert len(catalogue.inputs["image"]) > 4000
    assert catalogue.notes[-1].endswith("items name several pictures in 'images': the first of each is read.")


def test_a_picture_in_a_cell_is_never_listed_whole(tmp_path: Path) -> None:
    text = base64.b64encode(picture(1)).decode()
    rows = [{"item_id": "a", "title": "A", "image": text}]
    rows += [
        {"item_id": n, "title": "B", "image": text[:-9] + "?" * 9} for n in ("b", "b" * 9999, "b" * 9999)
    ]
    rows += [{"item_id": "c", "title": "C", "image": {"src": text}}]
    catalogue = _read(write_items(tmp_path, rows))
    assert max(len(rejection.detail) for rejection in catalogue.rejections) < 300
    assert len(catalogue.rejections) == 4


def test_items_that_no_interaction_names_are_left_out_with_a_note(tmp_path: Path) -> None:
    rows = [{"item_id": n, "title": "A", "image": None} for n in (1, 2, None, 3, 2)]
    path = write_items(tmp_path, rows)
    config = ItemsConfig(path=str(path), text="{title}", image=None)
    catalogue = read_catalogue(config, FileHashes(), only={"2", "4"})
    assert catalogue.item_ids == ["2"] and [one.row for one in catalogue.inputs["text"]] == [1]
    assert _reasons(catalogue) == {"no-id": 1, "duplicate-id": 1}
    assert catalogue.notes == [f"{path}: 2 items that no interaction names are left out."]
    with pytest.raises(CatalogError, match="none with an id that an interaction names"):
        read_catalogue(config, FileHashes(), only={"4"})
