"""Id maps: whole, or refused with the line and what stands there."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from alignrec.pipeline.catalog.id_maps import read_id_map, read_ids
from alignrec.pipeline.errors import CatalogError

HEADER = "asin\titemID\n"


def write(folder: Path, rows: str) -> Path:
    path = folder / "i_id_mapping.csv"
    path.write_text(HEADER + rows)
    return path


def test_ids_stand_at_their_numbers(tmp_path: Path) -> None:
    path = write(tmp_path, "007\t2\nb c\t0\n\nnan\t1\n")
    assert read_id_map(path) == {2: "007", 0: "b c", 1: "nan"}
    assert read_ids(path) == ["b c", "nan", "007"] and read_ids(path, 2) == ["b c", "nan"]
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert read_ids(path) == ["b c", "nan", "007"]
    assert read_ids(write(tmp_path, "")) == [] == read_ids(path, 0)


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("a\t0\nb\n", r"line 3: expected an id, a tab and a whole number, got \['b'\]"),
        ("a\t0\nb\tone\n", r"line 3: expected .* got \['b', 'one'\]"),
        ("a\t0\t1\n", r"line 2: expected"),
        ("\t0\n", r"line 2: expected .* got \['', '0'\]"),
        ("a\t-1\n", r"line 2: expected"),
        ("a\t0\nb\t0\n", r"line 3: the number 0 of 'b' is 'a''s already"),
        ("a\t0\n\na\t1\n", r"line 4: the id 'a' has the number 0 already"),
        ('a\t0\n"b\t1\n', r"line 3: unexpected end of data"),
        ("a\t" + "9" * 5000 + "\n", r"cannot be read: Exceeds the limit"),
    ],
)
def test_a_line_that_is_something_else_is_named(tmp_path: Path, rows: str, expected: str) -> None:
    with pytest.raises(CatalogError, match=rf"i_id_mapping\.csv.* {expected}|csv {expected}"):
        read_id_map(write(tmp_path, rows))


def test_numbers_without_ids_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, "a\t0\nc\t2\n")
    with pytest.raises(CatalogError, match=r"no id for 1 of the numbers 0 to 1, such as 1\."):
        read_ids(path)
    with pytest.raises(CatalogError, match=r"no id for 3 of the numbers 0 to 4, such as 1\."):
        read_ids(path, 5)


def test_an_absent_map_is_named_with_the_nearest(tmp_path: Path) -> None:
    write(tmp_path, "")
    with pytest.raises(CatalogError, match=r"there is no file .*Did you mean .*i_id_mapping\.csv\?"):
        read_id_map(tmp_path / "i_id_maping.csv")
