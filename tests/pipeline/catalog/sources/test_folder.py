from __future__ import annotations

from pathlib import Path

from alignrec.pipeline.catalog.sources.folder import (
    files_below,
    picture_folder,
    picture_stem,
    pictures_by_id,
)


def test_files_and_pictures_of_a_folder(tmp_path: Path) -> None:
    assert (files_below(tmp_path), picture_folder(tmp_path)) == ([], None)
    for name in ("b.csv", ".hidden", "x/a.csv", "x/y/deep.csv", "x/1.jpg", "x/a%2Fb.PNG", "x/2.txt", "0.gif"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    names = ["0.gif", "b.csv", "x/1.jpg", "x/2.txt", "x/a%2Fb.PNG", "x/a.csv"]
    assert files_below(tmp_path) == [tmp_path / name for name in names]
    assert picture_folder(tmp_path) == "x" and picture_folder(tmp_path / "x") == "."
    assert pictures_by_id(tmp_path / "x") == {"1": "1.jpg", picture_stem("a/b"): "a%2Fb.PNG"}
