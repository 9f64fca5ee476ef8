"""Shards under way come before those of the finished stage; damaged ones count as missing."""

from __future__ import annotations

from pathlib import Path

from alignrec.pipeline.catalog.items import Input
from alignrec.pipeline.runner.shards import Shard
from alignrec.pipeline.stages.extract.shard_files import ShardFiles


def test_shards_are_found_where_they_are_and_linked(tmp_path: Path) -> None:
    shards = [Shard(key, (Input(key, n, key, key),)) for n, key in enumerate("abcd")]
    for folder, keys in (("scratch", "ab"), ("earlier", "bcd")):
        (tmp_path / folder).mkdir()
        for key in keys:
            (tmp_path / folder / f"{key}.arrow").write_text(folder)
    files = ShardFiles(tmp_path / "scratch", tmp_path / "earlier", frozenset({"d.arrow"}))
    found = [files.find(shard) for shard in shards]
    assert found == [
        tmp_path / "scratch/a.arrow",
        tmp_path / "scratch/b.arrow",
        tmp_path / "earlier/c.arrow",
        None,
    ]
    assert files.missing(shards) == shards[3:]
    files.link(shards[:3], tmp_path / "target")
    linked = {path.name: path.stat().st_ino for path in (tmp_path / "target").iterdir()}
    assert linked == {path.name: path.stat().st_ino for path in found if path}
