from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from alignrec.pipeline.catalog.files import begins_as, open_bytes, read_lines, readable
from alignrec.pipeline.errors import CatalogError

LINES = b"one\r\n\n  \nfour\n"


@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz"])
@pytest.mark.parametrize("content", [LINES, gzip.compress(LINES)])
def test_lines_have_their_numbers_and_empty_ones_are_left_out(
    tmp_path: Path, name: str, content: bytes
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert list(read_lines(path)) == [(1, b"one"), (4, b"four")]
    with open_bytes(path) as stream:
        assert stream.read() == LINES


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", b"a\n\xff\n", r"a\.txt, line 2, is not UTF-8: .*Convert it, then run again"),
        ("a.txt.gz", gzip.compress(b"one\ntwo\n")[:-9], r"a\.txt\.gz, after line \d, cannot be read: broken"),
        ("a.txt.gz", b"no gzip", r"a\.txt\.gz cannot be read: broken"),
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


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"PAR1\x15\x04", r"a Parquet file: let its name end in \.parquet"),
        (b"ARROW1\0\0", r"an Arrow file: let its name end in \.arrow"),
        (b"PK\x03\x04\x14", "a ZIP archive"),
        (b"\xfd7zXZ\x00", "compressed by xz: unpack it"),
    ],
)
def test_content_of_another_format_is_named(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content + bytes(9))
    with pytest.raises(CatalogError, match=rf"a\.csv is {words}"):
        list(read_lines(path))
    assert begins_as(path, content) == content


@pytest.mark.parametrize("header", [b"PAR1,PAR2\n", b"ARROW1\n", b"FEA1;FEA2\n", b"BZh\n", b"PK\n"])
def test_names_of_columns_are_no_format(tmp_path: Path, header: bytes) -> None:
    (tmp_path / "a.csv").write_bytes(header)
    assert list(read_lines(tmp_path / "a.csv")) == [(1, header.strip())]
