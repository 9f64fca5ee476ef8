from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path

import pytest

from alignrec.core.sealed import seal_json
from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.runner.manifest import StageManifest, fingerprint, list_files

PARTS = {"seed": "1", "settings": "ab"}


@pytest.fixture
def stage(tmp_path: Path) -> tuple[Path, StageManifest]:
    """A folder of two files, and the manifest of the stage that wrote them."""
    (tmp_path / "inner").mkdir()
    (tmp_path / "b.bin").write_bytes(b"bb")
    (tmp_path / "inner" / "a.bin").write_bytes(b"aaa")
    files = list_files(tmp_path, [tmp_path / "inner" / "a.bin", tmp_path / "b.bin"])
    return tmp_path, StageManifest("train", PARTS, files, {"sets": {"aligned": {"dim": 8}}})


def test_files_are_listed_by_path_with_size_and_hash(stage: tuple[Path, StageManifest]) -> None:
    listed = [(name, *entry) for name, entry in stage[1].files.items()]
    assert listed == [
        ("b.bin", 2, sha256(b"bb").hexdigest()),
        ("inner/a.bin", 3, sha256(b"aaa").hexdigest()),
    ]


def test_what_is_written_is_read_again(stage: tuple[Path, StageManifest]) -> None:
    folder, manifest = stage
    manifest.write(folder / "stage.json")
    assert StageManifest.read(folder / "stage.json") == manifest
    assert manifest.fingerprint == fingerprint("train", dict(reversed(PARTS.items())))
    assert manifest.fingerprint not in (fingerprint("pretrain", PARTS), fingerprint("train", {"seed": "1"}))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff", b"[]", b"null", b'"stage"', b"{}", b'{"files": []}', b'{"files": {"a": 1}}'],
)
def test_garbage_is_no_manifest(tmp_path: Path, content: bytes) -> None:
    assert StageManifest.read(tmp_path / "stage.json") is None, "there is no file"
    (tmp_path / "stage.json").write_bytes(content)
    assert StageManifest.read(tmp_path / "stage.json") is None


@pytest.mark.parametrize("change", [{"stage": "pretrain"}, {"parts": {"seed": "2"}}, {"fingerprint": "0"}])
def test_one_whose_fingerprint_is_not_its_own_is_none(
    stage: tuple[Path, StageManifest], change: dict[str, object]
) -> None:
    path = stage[0] / "stage.json"
    stage[1].write(path)
    loaded = json.loads(path.read_text())
    del loaded["sha256"]
    path.write_bytes(seal_json(loaded | change))
    assert StageManifest.read(path) is None


def test_damage_is_found_by_size_and_where_asked_by_content(stage: tuple[Path, StageManifest]) -> None:
    folder, manifest = stage
    assert manifest.damage(folder, hashes=True) == {}
    (folder / "inner" / "a.bin").write_bytes(b"aab")
    assert manifest.damage(folder) == {}
    assert manifest.damage(folder, hashes=True) == {"inner/a.bin": "differs from its recorded hash"}
    (folder / "b.bin").write_bytes(b"b")
    assert manifest.damage(folder) == {"b.bin": "differs from its recorded size"}
    (folder / "inner" / "a.bin").unlink()
    (folder / "inner" / "a.bin").mkdir()
    expected = {"b.bin": "differs from its recorded size", "inner/a.bin": "is missing"}
    assert manifest.damage(folder) == manifest.damage(folder, hashes=True) == expected


def test_files_are_checked_by_name(stage: tuple[Path, StageManifest]) -> None:
    folder, manifest = stage
    path = folder / "inner" / "a.bin"
    manifest.check(folder, manifest.files)
    path.write_bytes(b"aab")
    with pytest.raises(RunFolderError) as damaged:
        manifest.check(folder, manifest.files)
    assert str(damaged.value) == (
        f"{path} differs from its recorded hash. Run `alignrec run`: it does the stage train again."
    )
    manifest.check(folder, ["b.bin"])
    with pytest.raises(RunFolderError, match=r"c\.bin is missing"):
        manifest.check(folder, ["c.bin"])


def test_a_flipped_bit_of_any_byte_makes_it_none(stage: tuple[Path, StageManifest]) -> None:
    path = stage[0] / "stage.json"
    stage[1].write(path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        path.write_bytes(damaged)
        assert StageManifest.read(path) is None, place


def test_parts_that_differ_come_or_go_are_named(stage: tuple[Path, StageManifest]) -> None:
    changed = stage[1].changed
    assert changed(PARTS) == []
    assert changed({"seed": "2", "settings": "ab"}) == ["seed"]
    assert changed({"settings": "ab", "split": "cd"}) == ["seed", "split"]
