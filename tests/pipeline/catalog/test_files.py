from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from alignrec.pipeline.catalog.files import open_bytes, read_lines, readable
from alignrec.pipeline.errors import CatalogError

LINES = b"one\r\n\n  \nfour\n"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
def test_lines_have_their_numbers_and_empty_ones_are_left_out(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(gzip.compress(LINES) if name.endswith(".gz") else LINES)
    assert list(read_lines(path)) == [(1, b"one"), (4, b"four")]
    with open_bytes(path) as stream:
        assert stream.read() == LINES


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"a\n\xff\n", r"a\.txt, line 2, is not UTF-8: .*Convert it, then run again"),
        ("a.txt.gz", b"no gzip", r"a\.txt\.gz, after line 0, cannot be read: broken"),
        ("a.txt", b"a\n", r"a\.txt cannot be read: broken"),
        ("a.parquet", b"\xff", r"a\.parquet cannot be read: broken"),
    ],
)
def test_damage_is_one_error_with_its_line(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CatalogError, match=expected), readable(tmp_path / name):
        raise ValueError("broken")


def test_an_absent_file_is_named_with_the_nearest(tmp_path: Path) -> None:
    (tmp_path / "meta.json").touch()
    with pytest.raises(CatalogError, match=r"there is no file .*metta\.json\. Did you mean .*meta\.json\?"):
        list(read_lines(tmp_path / "metta.json"))
