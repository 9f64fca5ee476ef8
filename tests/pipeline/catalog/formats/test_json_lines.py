from __future__ import annotations

import codecs
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from alignrec.pipeline.catalog.formats.json_lines import open_json_lines
from alignrec.pipeline.catalog.values import id_texts
from alignrec.pipeline.errors import CatalogError


def _rows(folder: Path, content: bytes) -> list[dict[str, Any]]:
    path = folder / "a.jsonl"
    path.write_bytes(content)
    table = open_json_lines(path)
    return list(table.rows(table.columns))


def test_objects_with_keys_of_their_own_make_one_table(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"a": 1}\n\n{"b": [1, "x"], "a": "1"}\n{"c": {"d": null}, "a": 1.5}\n')
    table = open_json_lines(path)
    assert table.columns == ("a", "b", "c")
    assert list(table.rows(["c", "a", "b"])) == [
        {"c": None, "a": 1, "b": None},
        {"c": None, "a": "1", "b": [1, "x"]},
        {"c": {"d": None}, "a": 1.5, "b": None},
    ]


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": "\xc3\xa4"}\n{"a": "b"}\n',
        b'\r\n{"a": "\xc3\xa4"}\r\n  \r\n  {"a": "b"}  ',
        codecs.BOM_UTF8 + b'{"a": "\xc3\xa4"}\n{"a": "b"}',
        '{"a": "ä"}\n{"a": "b"}\n'.encode("utf-16"),
    ],
)
def test_marks_blank_lines_and_encodings_do_not_matter(tmp_path: Path, content: bytes) -> None:
    assert _rows(tmp_path, content) == [{"a": "ä"}, {"a": "b"}]


def test_numbers_as_ids_are_written_in_full(tmp_path: Path) -> None:
    numbers = ["10000000000000000000", "1e3", "1.0", "1", "0.5", "NaN", "-0", '"001"', '"1e3"']
    path = tmp_path / "a.jsonl"
    path.write_text("".join(f'{{"id": {number}}}\n' for number in numbers))
    ids = [id_texts(batch.column(0), "a") for batch in open_json_lines(path).batches(["id"])]
    assert pa.concat_arrays(ids).to_pylist() == [
        *("10000000000000000000", "1000", "1", "1", "0.5", None, "0", "001", "1e3"),
    ]


def test_not_a_number_is_read_as_such(tmp_path: Path) -> None:
    (row,) = _rows(tmp_path, b'{"a": NaN}')
    assert math.isnan(row["a"])


def test_nesting_up_to_the_limit_is_read(tmp_path: Path) -> None:
    assert _rows(tmp_path, b'{"a": ' + b"[" * 99 + b"]" * 99 + b"}")[0].keys() == {"a"}
    assert _rows(tmp_path, b'{"a": [' + b"[]," * 200 + b"[]]}")[0] == {"a": [[]] * 201}


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": 1}\n{"a": 1, "b": 2, "a": 3}\n', "line 2: the key 'a' occurs twice"),
        (b'{"a": {"b": 1, "b": 1}}\n', "line 1: the key 'b' occurs twice"),
        (b'{"a": 1}\n\n{"a": 1,}\n', "line 3: not a JSON object, which stands on one line"),
        (b'{"a": 1},\n{"a": 2}\n', "line 1: not a JSON object"),
        (b'[{"a": 1}, {"a": 2}]\n', r"line 1: expected a JSON object, one a line, got .* `jq -c"),
        (b'[\n{"a": 1},\n{"a": 2}\n]\n', r"line 1: expected a JSON object, one a line, got '\['.*`jq -c"),
        (b'{\n"a": 1\n}\n', "line 1: not a JSON object, which stands on one line"),
        (b'{"a": 1}\n7\n', "line 2: expected a JSON object, one a line, got '7'"),
        (b'{"a": 1}\n{"a": "\xe4"}\n', "line 2, is not UTF-8"),
        (b'{"a": ' + b"9" * 5000 + b"}", "line 1: not a JSON object"),
        (b'{"a": 1}\n{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "line 2: its values are nested more"),
        (b'{"a": ' + b"[" * 100 + b"]" * 100 + b"}", "line 1: its values are nested more than 100 levels"),
        (
            b'{"a": ' + b'{"a": ' * 400 + b"1" + b"}" * 401,
            "line 1: its values are nested more than 100 levels",
        ),
    ],
)
def test_what_is_no_object_is_named_with_its_line(tmp_path: Path, content: bytes, expected: str) -> None:
    with pytest.raises(CatalogError, match=rf"a\.jsonl, {expected}"):
        _rows(tmp_path, content)
