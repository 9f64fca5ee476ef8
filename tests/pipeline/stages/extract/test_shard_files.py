"""Shards under way come before those of the finished stage; damaged ones count as missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.core.sealed import is_whole, looks_sealed, sealing
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.runner.shards import Shard
from alignrec.pipeline.stages.extract.shard_files import ShardFiles

SHARDS = [Shard(key, (Input(key, n, key, key),)) for n, key in enumerate("abcd")]


def write(folder: Path, keys: str) -> None:
    for key in keys:
        with sealing(folder / f"{key}.arrow") as temporary:
            temporary.write_text(folder.name)


def test_shards_are_found_where_they_are_and_linked(tmp_path: Path) -> None:
    write(tmp_path / "scratch", "ab")
    write(tmp_path / "earlier", "bc")
    (tmp_path / "earlier" / "d.arrow").write_text("no shard")
    files = ShardFiles(tmp_path / "scratch", tmp_path / "earlier", is_whole)
    found = [files.find(shard) for shard in SHARDS]
    assert found == [
        tmp_path / "scratch/a.arrow",
        tmp_path / "scratch/b.arrow",
        tmp_path / "earlier/c.arrow",
        None,
    ]
    assert files.missing(SHARDS) == SHARDS[3:]
    files.link(SHARDS[:3], tmp_path / "target")
    linked = {path.name: path.stat().st_ino for path in (tmp_path / "target").iterdir()}
    assert linked == {path.name: path.stat().st_ino for path in found if path}


def test_a_modality_without_a_shard_has_an_empty_folder(tmp_path: Path) -> None:
    files = ShardFiles(tmp_path / "scratch", tmp_path / "earlier", is_whole)
    assert files.missing([]) == []
    files.link([], tmp_path / "target")
    assert list((tmp_path / "target").iterdir()) == []


@pytest.mark.parametrize("place", ["scratch", "earlier"])
def test_a_damaged_shard_is_missing_whoever_left_it(tmp_path: Path, place: str) -> None:
    write(tmp_path / place, "a")
    path = tmp_path / place / "a.arrow"
    whole = path.read_bytes()
    light, thorough = (
        ShardFiles(tmp_path / "scratch", tmp_path / "earlier", check) for check in (looks_sealed, is_whole)
    )
    assert light.find(SHARDS[0]) == thorough.find(SHARDS[0]) == path
    path.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    assert thorough.find(SHARDS[0]) is None
    path.write_bytes(whole[:-1])
    assert light.find(SHARDS[0]) is thorough.find(SHARDS[0]) is None
    path.unlink()
    path.mkdir()
    assert light.find(SHARDS[0]) is thorough.find(SHARDS[0]) is None
