"""The pictures of a cell, in every form in which catalogues write them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.pipeline.catalog.file_cells import FileRefError, each_file, files_in, is_url
from tests.pipeline.catalogues import picture

A, B = "https://x.example/a,b;c.jpg?w=1,2", "http://x.example/b.png"
PNG = picture(0)
TEXT = base64.b64encode(PNG).decode()


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (None, []),
        (float("nan"), []),
        ("", []),
        (" \n", []),
        ([], []),
        ([None, ""], []),
        ({"bytes": None, "path": None}, []),
        ("a.png", ["a.png"]),
        (b"x", [b"x"]),
        (["a.png", "b.png"], ["a.png", "b.png"]),
        ([[b"x"], {"bytes": b"y", "path": "a.png"}, {"bytes": None, "path": "b.png"}], [b"x", b"y", "b.png"]),
        ("images/1.jpg|images/2.jpg", ["images/1.jpg", "images/2.jpg"]),
        ("1|2", ["1", "2"]),
        ("1.jpg | 2.jpg|", ["1.jpg", "2.jpg"]),
        ("1.jpg;2.jpg", ["1.jpg", "2.jpg"]),
        ("1.jpg, 2.jpg", ["1.jpg", "2.jpg"]),
        ("1.jpg\n2.jpg\n", ["1.jpg", "2.jpg"]),
        ("red, blue.jpg", ["red, blue.jpg"]),
        ("there.is, one.jpg", ["there.is, one.jpg"]),
        ("there|one.jpg", ["there|one.jpg"]),
        (A, [A]),
        (f"{A}|{B}", [A, B]),
        (f"{A},{B}", [A, B]),
        (f" {A}\n{B} ", [A, B]),
        (f"{A} ; {B};", [A, B]),
        (json.dumps([A, B]), [A, B]),
        ("['a.png', 'b.png']", ["a.png", "b.png"]),
        ("['a.png' 'b.png']", ["a.png", "b.png"]),
        ("[]", []),
        ("[1].png", ["[1].png"]),
        ("[no list]", ["[no list]"]),
        ("[" * 100_000 + "]", ["[" * 100_000 + "]"]),
        (TEXT, [PNG]),
        ("\n".join(TEXT[n : n + 76] for n in range(0, len(TEXT), 76)), [PNG]),
        (base64.urlsafe_b64encode(PNG).decode().rstrip("="), [PNG]),
        (f"data:image/png;base64,{TEXT}", [PNG]),
        ([f"DATA:image/png;charset=x;BASE64,{TEXT}", "a.png"], [PNG, "a.png"]),
        ("data:image/svg+xml,%3Csvg/%3E", [b"<svg/>"]),
        ({"bytes": TEXT}, [PNG]),
        ("x" * 100, ["x" * 100]),
        ({"row": 3}, [{"row": 3}]),
        ({"src": "a.png"}, [{"src": "a.png"}]),
        (7, [7]),
    ],
)
def test_a_cell_is_a_list_of_pictures(tmp_path: Path, cell: Any, expected: list[Any]) -> None:
    for name in ("there.is, one.jpg", "there|one.jpg"):
        (tmp_path / name).touch()
    assert files_in(cell, tmp_path) == expected


@pytest.mark.parametrize("cell", ["data:image/png;base64", f"data:;base64,{TEXT}?", f"{TEXT}!"])
def test_broken_base64_is_named_without_all_of_it(tmp_path: Path, cell: str) -> None:
    with pytest.raises(FileRefError) as caught:
        files_in(cell, tmp_path)
    assert caught.value.reason == "damaged-base64" and len(str(caught.value)) < 250


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF"])
def test_every_format_is_known_in_base64(tmp_path: Path, form: str) -> None:
    data = picture(1, form)
    assert files_in(base64.b64encode(data).decode(), tmp_path) == [data]


@given(st.text(max_size=200))
def test_any_text_is_some_list(text: str) -> None:
    try:
        found = files_in(text, Path("nowhere"))
    except FileRefError:
        return
    assert isinstance(found, list)


def test_urls_are_told_from_paths() -> None:
    assert is_url(B) and not is_url("a.png")


def test_one_damaged_picture_of_several_takes_none_of_the_others_along(tmp_path: Path) -> None:
    damaged = TEXT[:-3] + "?"
    with pytest.raises(FileRefError):
        files_in([TEXT, damaged, "a.png"], tmp_path)
    first, error, last = each_file([TEXT, [damaged], "a.png"], tmp_path)
    assert (first, last) == (PNG, "a.png")
    assert isinstance(error, FileRefError) and error.reason == "damaged-base64"
    assert each_file("a.png|b.png", tmp_path) == ["a.png", "b.png"] and each_file(None, tmp_path) == []
