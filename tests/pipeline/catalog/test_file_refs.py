from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from alignrec.pipeline.catalog.file_cells import FileRefError, is_url
from alignrec.pipeline.catalog.file_refs import (
    FileRef,
    downloaded_name,
    first_file,
)

URL = "https://images.example/1.jpg"


def test_every_form_of_a_reference_is_found(tmp_path: Path) -> None:
    for name in ("a.png", downloaded_name(URL)):
        (tmp_path / name).write_bytes(b"picture")
    file = FileRef(path=tmp_path / "a.png")
    forms: list[tuple[Any, FileRef | None]] = [
        ("a.png", file),
        (str(tmp_path / "a.png"), file),
        ({"bytes": None, "path": "a.png"}, file),
        ({"bytes": b"x", "path": "a.png"}, FileRef(embedded=b"x")),
        (b"x", FileRef(embedded=b"x")),
        (URL, FileRef(path=tmp_path / downloaded_name(URL))),
        ({"row": 3}, FileRef(row=3)),
        ("a.png|b.png", file),
        ([b"x", "a.png", b"y"], FileRef(embedded=b"x")),
        (None, None),
        ("  ", None),
        ({"bytes": None, "path": None}, None),
    ]
    assert [first_file(value, tmp_path) for value, _ in forms] == [expected for _, expected in forms]
    assert is_url(URL) and not is_url("a.png")


def test_the_ending_of_a_name_and_folders_of_its_beginning_may_be_left_out(tmp_path: Path) -> None:
    names = {"01": "01.jpg", "02": "02.PNG", "03": "03", "040": "04/040.jpg", "ab/cd": "ab/c/cd.png"}
    names |= {"0405.png": "040/0405.png"}
    for name in (*names.values(), "03.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"picture")
    for value, name in names.items():
        assert first_file(value, tmp_path) == FileRef(path=tmp_path / name)
    with pytest.raises(FileRefError, match="1"):
        first_file("1", tmp_path)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("../a.png", "outside-root"),
        ("none.png", "not-found"),
        ("x" * 5000, "not-found"),
        (7, "not-a-path"),
        ({"src": "a.png"}, "not-a-path"),
        ("a\0b", "not-a-path"),
        ("a\ud800.png", "not-a-path"),
        ("a\udcff.png", "not-a-path"),
        ("loop", "link-loop"),
        (".", "not-a-file"),
        ("pipe", "not-a-file"),
        ("/dev/null", "outside-root"),
        ("here.png/below", "not-found"),
        ("https://images.example/\ud800.jpg", "not-downloaded"),
        (URL, "not-downloaded"),
    ],
)
def test_what_leads_nowhere_has_its_reason(tmp_path: Path, value: Any, reason: str) -> None:
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "here.png").touch()
    with pytest.raises(FileRefError) as error:
        first_file(value, tmp_path)
    assert error.value.reason == reason


def test_a_link_out_of_the_root_is_called_one_and_a_named_folder_allows_it(tmp_path: Path) -> None:
    root, store, other = (tmp_path / name for name in ("root", "store", "other"))
    for folder in (root, store / "deep", other):
        folder.mkdir(parents=True)
    (store / "deep" / "blob").write_bytes(b"x")
    (root / "file.png").symlink_to(store / "deep" / "blob")
    (root / "folder").symlink_to(store / "deep")
    for value in ("file.png", "folder/blob"):
        with pytest.raises(FileRefError, match=r"a symbolic link out of the image root, to .*/blob: to"):
            first_file(value, root, [other])
        assert first_file(value, root, [store]) == FileRef(path=store / "deep" / "blob")
    full = str(store / "deep" / "blob")
    with pytest.raises(FileRefError, match=r"leads outside .*its folder in catalog\.items\.linked_folders"):
        first_file(full, root)
    assert first_file(full, root, [store]) == FileRef(path=store / "deep" / "blob")


def test_a_long_value_is_shown_short(tmp_path: Path) -> None:
    for value in ("x" * 10**6, "http://x.example/" + "y" * 10**6, "../" * 10**5, [["z"] * 9, 10**200]):
        with pytest.raises(FileRefError) as caught:
            first_file(value, tmp_path)
        assert len(str(caught.value)) < 400
