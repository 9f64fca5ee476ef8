"""Documents of strangers are read within limits, and whatever else they are is one error."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, TypeAdapter

from alignrec.core.documents import (
    MOST_YAML_BYTES,
    DocumentError,
    parse_as,
    parse_json,
    parse_yaml,
    read_bytes,
)


class _Point(BaseModel):
    x: int
    names: tuple[str, ...] = ()


@pytest.mark.parametrize(
    "data",
    [
        *(
            b"",
            b"{",
            b"[" * 100_000,
            b'{"a":' * 100_000,
            b"[NaN]",
            b"[-Infinity]",
            b'{"a": 1e999}',
            b"9" * 5000,
        ),
        *(b'"\\ud800"', b'"\xed\xa0\x80"', b"\xff", b'"\x00"', b"[1,]", b"{1: 2}", b"1 2", b"\xef\xbb\xbf{}"),
    ],
)
def test_what_is_not_json_is_one_error(data: bytes) -> None:
    with pytest.raises(DocumentError, match=r"it is not JSON: .+") as caught:
        parse_json(data)
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)


def test_json_is_read_as_it_is() -> None:
    assert parse_json('{"a": [1, 2.5, null, true, "ж"], "b": {}}'.encode()) == {
        "a": [1, 2.5, None, True, "ж"],
        "b": {},
    }


def test_a_model_names_the_first_fault() -> None:
    assert parse_as(_Point, b'{"x": 1, "names": ["a"]}') == _Point(x=1, names=("a",))
    assert parse_as(TypeAdapter(dict[str, _Point]), b'{"a": {"x": 1}}') == {"a": _Point(x=1)}
    with pytest.raises(DocumentError, match=r"^names\.1: Input should be a valid string$"):
        parse_as(_Point, b'{"x": 1, "names": ["a", 2]}')
    with pytest.raises(DocumentError, match=r"^x: Input should be a valid integer$"):
        parse_as(_Point, b'{"x": "1"}')
    with pytest.raises(DocumentError, match=r"^the whole: "):
        parse_as(_Point, b"[]")
    with pytest.raises(DocumentError, match="it is not JSON"):
        parse_as(_Point, b"[")


_BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{below}'] * 9)}]\n"
    for below, name in zip("abcdefgh", "bcdefghi", strict=True)
)
_MERGES = "a: &a {x: 1}\n" + "".join(
    f"k{n}: &k{n} {{<<: [{', '.join([f'*k{n - 1}' if n else '*a'] * 9)}]}}\n" for n in range(12)
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[" * 50_000, "too deeply"),
        ("{a: " * 50_000, "too deeply"),
        ("- " * 5000 + "x", "too deeply"),
        (_BOMB, "more than"),
        (_MERGES, "more than"),
        ("&a [*a]", "recursive|too deeply|holds itself"),
        ("k: &a {b: *a}", "recursive|too deeply|holds itself"),
        ("a0: &a0 x\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 300)), "too deeply"),
        ("a: " + ":".join(["1"] * 100_000), "digits"),
        ("a: 0x" + "f" * 100_000, "digits"),
        ("a: " + "9" * 5000, "digits"),
        ("x" * (MOST_YAML_BYTES + 1), "characters"),
        ("a: 2024-99-99", "not YAML"),
        ("a: !!python/object:os.system x", "not YAML"),
        ("a: !!int ''", "not YAML"),
        ("a: !!timestamp x", "not YAML"),
        ("? [a]\n: b", "not YAML"),
        ("a: 1\nb: [", "not YAML"),
        ("a: *missing", "not YAML"),
        ("--- 1\n--- 2", "not YAML"),
        ("a: \x00", "not YAML"),
        ('a: "\\ud800"', "surrogate"),
        ('"\\udfff": 1', "surrogate"),
    ],
)
def test_what_is_not_plain_yaml_is_one_error_and_soon(text: str, reason: str) -> None:
    began = time.process_time()
    with pytest.raises(DocumentError, match=reason) as caught:
        parse_yaml(text)
    assert time.process_time() - began < 5
    assert len(str(caught.value)) < 300 and "\n" not in str(caught.value)


def test_yaml_is_read_as_it_is() -> None:
    assert parse_yaml("a: &a [1, 2.5]\nb: *a\nc: {<<: {d: ж}}\n") == {
        "a": [1, 2.5],
        "b": [1, 2.5],
        "c": {"d": "ж"},
    }
    assert parse_yaml("") is None and parse_yaml("# nothing\n") is None


@settings(max_examples=200, derandomize=True)
@given(st.text(alphabet="ab:-[]{},&*!|>?<'\"#%@`\n 01~=.", max_size=40))
def test_yaml_of_any_text_is_a_value_or_one_error(text: str) -> None:
    try:
        parse_yaml(text)
    except DocumentError as error:
        assert str(error)


def test_only_regular_files_within_the_limit_are_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"12345")
    assert read_bytes(tmp_path / "a") == read_bytes(tmp_path / "a", 5) == b"12345"
    with pytest.raises(DocumentError, match="more than 4 bytes"):
        read_bytes(tmp_path / "a", 4)
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path, Path("/dev/zero")):
        with pytest.raises(DocumentError, match=r"it is not a regular file|it cannot be read"):
            read_bytes(path)
    with pytest.raises(FileNotFoundError):
        read_bytes(tmp_path / "absent")
    with pytest.raises(NotADirectoryError):
        read_bytes(tmp_path / "a" / "b")
