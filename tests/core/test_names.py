"""Names and paths that a file gives: identifiers that lead nowhere else, on any system."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from alignrec.core.names import (
    Name,
    RelativePath,
    check_distinct,
    check_name,
    check_path,
    inside,
    name_like,
)

HOSTILE = [
    *(
        "",
        ".",
        "..",
        "...",
        ".hidden",
        "a.",
        "a..",
        " a",
        "a ",
        "a b",
        "-a",
        "a/b",
        "/a",
        "/etc/passwd",
        "../a",
    ),
    *("a\\b", "C:", "C:\\a", "C:a", "a:b", "\\\\server\\a", "a\0b", "a\nb", "a\n", "a\x1b[31m", "\u202ea"),
    *("con", "CON", "nul.txt", "Aux", "lpt1.parquet", "com9", "a" * 101, "a" * 10_000, "é", "ａ", "a\u0301"),
    *("*", "a?", "<b>", "a|b", '"a"', "[red]", "`a`", "$a", "~", "a%2fb", "a'b", "\ud800"),
]


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_name_on_every_system_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not a name") as caught:
        check_name(name)
    assert len(str(caught.value)) < 250
    with pytest.raises(ValidationError):
        TypeAdapter(Name).validate_python(name)


@pytest.mark.parametrize(
    "name", ["image", "multimodal", "a", "_", "A-1", "v1.2_3", "part-00000.parquet", "consul"]
)
def test_plain_names_are_taken(name: str) -> None:
    assert check_name(name) == name
    assert check_path(f"data/{name}/{name}") == f"data/{name}/{name}"


@pytest.mark.parametrize("name", [*HOSTILE, "a/../b", "a//b", "a/./b", "a/", "/".join(["abcdefghi"] * 41)])
def test_a_path_is_made_of_names(name: str) -> None:
    wrong = name if "/" in name and name != "a/b" else f"data/{name}"
    if name == "a/b":
        assert check_path(wrong) == wrong
        return
    with pytest.raises(ValueError, match="the path"):
        check_path(wrong)
    with pytest.raises(ValidationError):
        TypeAdapter(RelativePath).validate_python(wrong)


@pytest.mark.parametrize(
    "names",
    [["a", "a"], ["a", "A"], ["data/a", "DATA/A"], ["a/b", "a"], ["a", "A/b/c"], ["x/a.b", "x/a.b/c"]],
)
def test_names_that_meet_on_some_system_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"the thing .* is "):
        check_distinct(names, "the thing")


def test_names_that_differ_are_distinct() -> None:
    check_distinct(["a", "ab", "a-b", "data/a", "data/a.b", "data/ab/c"], "the thing")


@pytest.mark.parametrize("path", ["..", "../x", "/etc/passwd", "out", "out/x", "loop", "a\0b", "", "."])
def test_nothing_is_joined_that_leads_out_of_its_folder(tmp_path: Path, path: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "out").symlink_to(tmp_path)
    (folder / "loop").symlink_to("loop")
    with pytest.raises(ValueError, match=r"leads outside|has a NUL|cannot be followed"):
        inside(folder, path)


def test_links_that_stay_inside_are_followed(tmp_path: Path) -> None:
    (tmp_path / "real" / "data").mkdir(parents=True)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "real" / "other").symlink_to("data")
    assert inside(tmp_path / "link", "other/part") == tmp_path / "link" / "other" / "part"


@settings(max_examples=200, derandomize=True)
@given(st.text(max_size=30))
def test_a_name_that_is_taken_stays_in_its_folder(name: str) -> None:
    try:
        check_name(name)
    except ValueError:
        return
    folder = Path("/somewhere/folder")
    assert inside(folder, name).parent == folder and name.isascii() and name.isprintable()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("My shop, 2024", "My-shop-2024"),
        ("..", ""),
        ("ж", ""),
        ("CON", ""),
        (".x.", "x"),
        ("a" * 300, "a" * 100),
        ("a" * 99 + "..", "a" * 99),
    ],
)
def test_a_text_becomes_a_name_where_it_can(text: str, name: str) -> None:
    assert name_like(text) == name
