"""Damage of any kind to a sealed file is seen; hashes are remembered only while a file looks the same."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.core.files import replacing, sha256_file
from alignrec.core.sealed import (
    is_whole,
    known_sha256,
    looks_sealed,
    read_sealed,
    read_sealed_json,
    remembered,
    seal_json,
    sealed_content,
    sealing,
)

VALUE = {"epoch": 1, "name": "Ж", "losses": [1e-05, 0.5], "inner": {"b": None, "a": True}}


def sealed(path: Path, content: bytes = b"some content") -> Path:
    with sealing(path) as temporary:
        temporary.write_bytes(content)
    return path


def settled(path: Path) -> Path:
    """The file as if nobody had touched its content for a while; its entry has just been changed."""
    os.utime(path, ns=(10**18, 10**18))
    return path


@pytest.mark.parametrize("content", [b"", b"x", b"\n" * 200])
def test_what_was_sealed_is_read(tmp_path: Path, content: bytes) -> None:
    path = sealed(tmp_path / "x", content)
    found = read_sealed(path)
    assert found is not None and bytes(found) == bytes(sealed_content(path)) == content
    assert looks_sealed(path) and is_whole(path)
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


def test_a_flipped_bit_of_any_byte_is_seen(tmp_path: Path) -> None:
    path = sealed(tmp_path / "x")
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert read_sealed(path) is None and not is_whole(path), place


def test_what_is_cut_or_grown_is_seen_without_reading_it(tmp_path: Path) -> None:
    path = sealed(tmp_path / "x")
    whole = path.read_bytes()
    for content in (*(whole[:length] for length in range(len(whole))), whole + b"\n", b"\n" + whole):
        path.write_bytes(content)
        assert read_sealed(path) is None and not looks_sealed(path)


def test_what_is_absent_or_a_folder_is_none(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        assert read_sealed(path) is None and not looks_sealed(path) and read_sealed_json(path) is None
    with pytest.raises(OSError, match="absent"):
        sealed_content(tmp_path / "absent")
    (tmp_path / "short").write_bytes(b"short")
    with pytest.raises(ValueError, match="no seal"):
        sealed_content(tmp_path / "short")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path) -> None:
    path = sealed(tmp_path / "x", b"old")
    with pytest.raises(RuntimeError), sealing(path) as temporary:
        temporary.write_bytes(b"new")
        raise RuntimeError
    assert read_sealed(path) == b"old"


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(codec="utf-8")), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    st.dictionaries(
        st.text(st.characters(codec="utf-8")).filter(lambda key: key != "sha256"), JSON, max_size=3
    )
)
def test_any_json_object_comes_back(
    tmp_path_factory: pytest.TempPathFactory, value: dict[str, object]
) -> None:
    path = tmp_path_factory.mktemp("json") / "x.json"
    path.write_bytes(seal_json(value))
    assert read_sealed_json(path) == value


def test_a_flipped_bit_of_any_byte_of_a_json_file_is_seen(tmp_path: Path) -> None:
    path, whole = tmp_path / "x.json", seal_json(VALUE)
    path.write_bytes(whole)
    assert read_sealed_json(path) == VALUE
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert read_sealed_json(path) is None, place


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b'{"sha256": "0"}', b"[" * 10**5, b"\xff"])
def test_garbage_is_no_sealed_json(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.json").write_bytes(content)
    assert read_sealed_json(tmp_path / "x.json") is None


def test_a_result_is_remembered_while_the_file_looks_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Path] = []

    def content(path: Path) -> bytes:
        calls.append(path)
        return path.read_bytes()

    look = remembered(content)
    path = tmp_path / "x"
    path.write_bytes(b"a")
    assert look(path) == look(path) == b"a" and len(calls) == 2, "too young to tell"
    monkeypatch.setattr("alignrec.core.sealed._STEP_NS", -(10**9))
    assert look(path) == look(path) == b"a" and len(calls) == 3
    path.write_bytes(b"bb")
    assert look(path) == b"bb"
    with replacing(path) as temporary:
        temporary.write_bytes(b"cc")
    assert look(path) == b"cc"
    settled(path)
    assert look(path) == b"cc" and len(calls) == 6
    path.unlink()
    with pytest.raises(FileNotFoundError):
        look(path)


def test_the_known_hash_is_that_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"content")
    assert known_sha256(tmp_path / "x") == sha256_file(tmp_path / "x")
