from __future__ import annotations

from pathlib import Path

from alignrec.pipeline.commands.detect.columns import Column
from alignrec.pipeline.commands.detect.pictures import (
    Pictures,
    folders_outside,
    open_all,
    picture_roots,
    try_pictures,
)
from tests.pipeline.catalogues import picture


def _folder(tmp_path: Path) -> Path:
    for name in ("photos/a.png", "photos/deep/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(picture(1))
    (tmp_path / "photos" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "empty").mkdir()
    return tmp_path


def test_the_root_is_where_most_open(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    roots = picture_roots(folder, folder / "items.csv")
    assert roots == [folder, folder / "photos", folder / "photos" / "deep"]
    by_path = try_pictures(Column("x", 0, 1, ["photos/a.png"]), roots)
    assert by_path == Pictures("x", folder, 1, 1)
    by_id = try_pictures(Column("sku", 0, 2, ["a", "none"]), roots)
    assert by_id is not None and (by_id.root, by_id.opened, by_id.tried) == (folder / "photos", 1, 2)


def test_a_root_may_hold_nothing_but_folders_of_pictures(tmp_path: Path) -> None:
    for name in ("01/011.jpg", "02/022.jpg"):
        (tmp_path / "images" / name).parent.mkdir(parents=True)
        (tmp_path / "images" / name).write_bytes(picture(1))
    roots = picture_roots(tmp_path, tmp_path / "items.csv")
    assert roots[:2] == [tmp_path, tmp_path / "images"] and len(roots) == 4
    assert try_pictures(Column("id", 0, 2, ["011", "022"]), roots) == Pictures(
        "id", tmp_path / "images", 2, 2
    )


def test_embedded_pictures_and_urls_need_no_folder(tmp_path: Path) -> None:
    values = [{"bytes": picture(1), "path": None}, picture(2)]
    assert try_pictures(Column("x", 0, 2, values), [tmp_path]) == Pictures("x", tmp_path, 2, 2)
    urls = ["https://x.example/1.jpg?size=2"]
    assert try_pictures(Column("x", 0, 1, urls), [tmp_path]) == Pictures("x", tmp_path, 0, 1, urls=True)
    assert try_pictures(Column("page", 0, 1, ["https://x.example/shop"]), [tmp_path]) is None


def test_what_does_not_open_says_why_and_other_columns_are_no_pictures(tmp_path: Path) -> None:
    folder = _folder(tmp_path)
    assert try_pictures(Column("title", 0, 1, ["Mug"]), [folder]) is None
    assert try_pictures(Column("price", 0, 1, ["9.5"]), [folder]) is None
    absent = try_pictures(Column("img", 0, 1, ["x.jpg"]), [folder])
    assert absent is not None and absent.opened == 0 and "'x.jpg'" in absent.why
    damaged = open_all("img", ["broken.png", "a.png", None], folder / "photos")
    assert (damaged.opened, damaged.tried) == (1, 3) and damaged.why


def test_pictures_outside_of_the_root_open_where_links_lead(tmp_path: Path) -> None:
    """As DVC keeps them: a link for each picture, into folders called after its hash."""
    root, cache = tmp_path / "shop" / "images", tmp_path / "shop" / ".dvc" / "cache" / "md5"
    root.mkdir(parents=True)
    for n in range(12):
        (cache / f"{n:02d}").mkdir(parents=True)
        (cache / f"{n:02d}" / "cdef").write_bytes(picture(n))
        (root / f"{n}.png").symlink_to(f"../.dvc/cache/md5/{n:02d}/cdef")
    (root / "loose.png").symlink_to("nowhere")
    values = [*(f"{n}.png" for n in range(12)), "loose.png", "absent.png"]
    found = open_all("img", values, root)
    assert (found.opened, found.tried, found.linked) == (12, 14, (cache,))
    assert folders_outside(values[:1], root) == (cache / "00",)
    assert folders_outside([str(cache / "03" / "cdef"), b"", None, {"row": 1}], root) == (cache / "03",)


def test_folders_around_the_root_are_not_opened_as_a_whole(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    root.mkdir()
    for n in range(9):
        (tmp_path / f"disk{n}").mkdir()
        (tmp_path / f"disk{n}" / "a.png").write_bytes(picture(n))
        (root / f"{n}.png").symlink_to(tmp_path / f"disk{n}" / "a.png")
    some = [f"{n}.png" for n in range(2)]
    assert folders_outside(some, root) == (tmp_path / "disk0", tmp_path / "disk1")
    assert folders_outside([f"{n}.png" for n in range(9)], root) == ()
    assert open_all("img", [f"{n}.png" for n in range(9)], root).opened == 0
