from __future__ import annotations

import os
from pathlib import Path

from alignrec.core.files import sha256_file
from alignrec.pipeline.catalog.file_hashes import FileHashes


def test_a_changed_file_is_noticed_and_an_unchanged_one_spared(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"one")
    first = FileHashes()
    before = first.sha256(path)
    assert before == sha256_file(path)
    remembered = {str(path): [*first.seen[str(path)][:-1], "remembered"]}
    assert FileHashes(remembered).sha256(path) == "remembered"
    path.write_bytes(b"other")
    assert FileHashes(remembered).sha256(path) == sha256_file(path) != before


def test_another_file_of_the_same_size_and_time_is_noticed(tmp_path: Path) -> None:
    path, other = tmp_path / "x", tmp_path / "y"
    path.write_bytes(b"one")
    other.write_bytes(b"two")
    first = FileHashes()
    first.sha256(path)
    stat = path.stat()
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(path)
    assert path.stat().st_mtime_ns == stat.st_mtime_ns
    assert FileHashes(first.seen).sha256(path) == sha256_file(path)


def test_what_was_seen_is_kept_in_a_file_and_a_broken_one_is_no_harm(tmp_path: Path) -> None:
    path, cache = tmp_path / "x", tmp_path / "hashes.json"
    path.write_bytes(b"one")
    first = FileHashes.read(cache)
    assert (first.sha256(path), first.sha256(path)) == (sha256_file(path),) * 2
    first.write(cache)
    again = FileHashes.read(cache)
    again.sha256(path)
    assert again.seen == first.seen
    for broken in ("[1]", "{"):
        cache.write_text(broken)
        assert FileHashes.read(cache).sha256(path) == sha256_file(path)
    cache.unlink()
    FileHashes().write(cache)
    assert not cache.exists()
