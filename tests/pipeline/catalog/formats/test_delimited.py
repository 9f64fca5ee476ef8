"""Separators, quotes and headers as they come, and the line of what is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from alignrec.pipeline.catalog.formats import delimited
from alignrec.pipeline.catalog.formats.delimited import ATOMIC, CSV, TSV, column_names
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.errors import CatalogError


def _rows(folder: Path, content: bytes, name: str = "a.csv") -> list[Row]:
    path = folder / name
    path.write_bytes(content)
    table = {".tsv": TSV, ".inter": ATOMIC, ".item": ATOMIC}.get(path.suffix, CSV).open(path)
    return list(table.rows(table.columns))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"a,b\n1,2\n", [("1", "2")]),
        (b"a,b\n1,2", [("1", "2")]),
        (b"\xef\xbb\xbfa,b\n1,2\n", [("1", "2")]),
        (b"\n\na,b\r\n1,2\r\n\r\n3,4\r\n", [("1", "2"), ("3", "4")]),
        (b"a,b\r1,2\r3,4\r", [("1", "2"), ("3", "4")]),
        (b"a,b\n,NULL\nnan,\n", [("", "NULL"), ("nan", "")]),
        (b'a,b\n"1,\n2","x""y"\n', [("1,\n2", 'x"y')]),
        (b'a,b\n5" nail, x \n', [('5" nail', " x ")]),
        (b'"a",b\n1,"2"', [("1", "2")]),
        (b"a,b\n", []),
        (b"a,b", []),
    ],
)
def test_a_csv_file_is_all_text(tmp_path: Path, content: bytes, expected: list[tuple[str, str]]) -> None:
    rows = [dict(zip("ab", values, strict=True)) for values in expected]
    assert _rows(tmp_path, content) == rows
    for separator in (";", "|"):
        assert _rows(tmp_path, content.replace(b",", separator.encode())) == [
            {key: value.replace(",", separator) for key, value in row.items()} for row in rows
        ]
    if b'"' not in content:
        assert _rows(tmp_path, content.replace(b",", b"\t"), "a.tsv") == rows
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        assert _rows(tmp_path, content.decode("utf-8-sig").encode(encoding)) == rows
    half = len(content) // 2
    parts = gzip.compress(content[:half]) + gzip.compress(content[half:])
    assert _rows(tmp_path, parts, "a.csv.gz") == rows


def test_one_column_is_a_table(tmp_path: Path) -> None:
    assert _rows(tmp_path, b'id\n1\n\n2\n""\n') == [{"id": "1"}, {"id": "2"}, {"id": ""}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty: expected a header and rows"),
        (b"a,b\n1,2\n1,2,3\n", "line 3: expected 2 fields, got 3"),
        (b'a,b\n"1\n1",2\n\n1\n', "line 5: expected 2 fields, got 1"),
        (b'a,b\n1,2\n1,"2\n3,4\n', "line 3: a quoted field begins there and never ends"),
        (b'a,b\n1,"2', "line 2: a quoted field begins there and never ends"),
        (b'a,b\n"1,2\n3,4\n', "line 2: a quoted field begins there and never ends"),
        (b'a,"b\n1,2\n', "line 1: a quoted field begins there and never ends"),
        (b"a,b\n1,2\n1,\xe9\n", "line 3, is not UTF-8"),
        (b"a\xe9,b\n1,2\n", "line 1, is not UTF-8"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, content: bytes, expected: str) -> None:
    with pytest.raises(CatalogError, match=rf"a\.csv.*{expected}"):
        _rows(tmp_path, content)


PLAIN = [
    b'id:token\ttitle:token_seq\n1\t"Foo" bar\n2\t"open\n3\tx"y\n4\t"whole"\n',
    b'id\ttitle\r\n1\t"Foo" bar\r\n2\t"open\r\n3\tx"y\r\n4\t"whole"',
]
TITLES = ['"Foo" bar', '"open', 'x"y', '"whole"']


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.item", PLAIN[0]), ("a.inter", PLAIN[0]), ("a.tsv", PLAIN[1]), ("a.csv", PLAIN[1])],
)
def test_quotes_in_tab_separated_files_are_plain_characters(
    tmp_path: Path, name: str, content: bytes
) -> None:
    rows = [{"id": str(number), "title": title} for number, title in enumerate(TITLES, 1)]
    assert _rows(tmp_path, content, name) == rows


def test_quotes_around_every_name_of_a_tab_separated_header_enclose_fields(tmp_path: Path) -> None:
    assert _rows(tmp_path, b'"a"\t"b"\n"1"\t"x\ty ""z"""\n', "a.tsv") == [{"a": "1", "b": 'x\ty "z"'}]


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", b"id,t\n1,a,\n2,b,\n", "line 2: expected 2 fields, got 3: '1,a,'.*make them alike"),
        ("a.csv", b"id,t\n1,a,b\n2,c\n", "line 2: expected 2 fields, got 3: .*written in quotes"),
        ("a.csv", b'id,t\n"1\n1",a\n2\n', "line 4: expected 2 fields, got 1: '2'.*keeps its separator"),
        ("a.csv", b"# by hand\nid,t\n1,a\n", "line 2: expected 1 fields, got 2: .*has '# by hand'"),
        ("a.csv", b'id,t\n1,"Foo" bar\n', "line 2: .*text follows the end"),
        ("a.csv", b'id,t,c\n1,"Foo bar,red\n2,b "x",blue\n', "line 2: .*text follows the end"),
        ("a.csv", b'id,t\n1,a\n2,"x \\"y\\" z"\n', "line 3: .*text follows the end of a quoted field"),
        ("a.csv", b"id,t\n1,a\n2,b\0c\n", "line 3: there is a NUL byte"),
        ("a.csv", "id,t\n1,a\n".encode("utf-16-le"), "line 1: there is a NUL byte"),
        ("a.csv", b"id,t\n1,\xe4\n", "line 2, is not UTF-8: byte 3 of the line is 0xe4.*WINDOWS-1252"),
        ("a.csv", b"\xef\xbb\xbf", "is empty"),
        ("a.tsv", b"id\tt\n1\ta\tb\n", "line 2: expected 2 fields, got 3: .*plain characters"),
        ("a.item", b'id:token\tt:token\n1\t"a\nb"\n', r"line 3: expected 2 fields, got 1: 'b\"'"),
        ("a.csv", b"id;t\n1;a\n2;b;c\n", "line 3: expected 2 fields, got 3"),
    ],
)
def test_rows_that_break_the_rules_are_errors(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    with pytest.raises(CatalogError, match=rf"{name}.*{expected}"):
        _rows(tmp_path, content, name)


def test_another_separator_than_commas_is_noted(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id;price\n1;4,5\n")
    assert CSV.open(path).notes == (f"{path}: its fields are separated by semicolons.",)
    path.write_text("id,price\n1,4;5\n")
    assert CSV.open(path).notes == ()


def test_a_name_that_two_columns_have_cannot_be_used(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("id,t,t\n1,a,b\n")
    table = CSV.open(path)
    table.require({"catalog.items.id": "id"})
    with pytest.raises(CatalogError, match=r"has several columns 't', which catalog.items.text names"):
        table.require({"catalog.items.text": "t"})


def test_a_row_larger_than_a_block_is_read_and_none_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delimited, "BATCH_BYTES", 64)
    values = ["x" * (900 if n == 7 else 5) for n in range(20)]
    content = "id,v\n" + "".join(f"{n},{value}\n" for n, value in enumerate(values))
    rows = [{"id": str(n), "v": value} for n, value in enumerate(values)]
    assert _rows(tmp_path, content.encode()) == rows
    table = CSV.open(tmp_path / "a.csv")
    for start in range(21):
        assert list(table.rows(["id", "v"], start)) == rows[start:]
    monkeypatch.setattr(delimited, "_LARGEST_BLOCK", 64)
    with pytest.raises(CatalogError, match="a row is larger than 64 bytes"):
        list(table.rows(["id"]))


def test_columns_are_told_apart(tmp_path: Path) -> None:
    assert column_names(["a", "", "a", "a.1", "a", ""]) == (
        *("a", "Unnamed: 1", "a.1", "a.1.1", "a.2", "Unnamed: 5"),
    )
    assert _rows(tmp_path, b",a,a\n1,2,3\n") == [{"Unnamed: 0": "1", "a": "2", "a.1": "3"}]


def test_recbole_atomic_files(tmp_path: Path) -> None:
    items = (
        b"item_id:token\tmovie_title:token_seq\trelease_year:token\tclass:token_seq\n"
        b"1\tToy  Story\t1995\tA B\n2\t \t\t\n"
    )
    assert _rows(tmp_path, items, "ml.item") == [
        {"item_id": "1", "movie_title": "Toy Story", "release_year": "1995", "class": "A B"},
        {"item_id": "2", "movie_title": "", "release_year": "", "class": ""},
    ]
    log = b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n0196\t1\t3.0\t881250949.0\n"
    assert _rows(tmp_path, log, "ml.inter") == [
        {"user_id": "0196", "item_id": "1", "rating": "3.0", "timestamp": "881250949.0"}
    ]


class _Counted(str):
    """A name that counts how often it is looked up."""

    looked_up = 0

    def __hash__(self) -> int:
        type(self).looked_up += 1
        return super().__hash__()

    def __eq__(self, other: object) -> bool:
        return super().__eq__(other)


def test_equal_names_are_numbered_without_beginning_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_Counted, "looked_up", 0)
    assert column_names([_Counted("a")] * 2_000) == ("a", *(f"a.{number}" for number in range(1, 2_000)))
    assert _Counted.looked_up < 5 * 2_000
