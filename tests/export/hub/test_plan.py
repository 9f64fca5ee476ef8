"""What a push sends and removes, by what the head of the repository holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from alignrec.core.files import sha256_file
from alignrec.export import Manifest, RefusedError
from alignrec.export.hub.expected_file import ExpectedFile
from alignrec.export.hub.plan import CARD, Plan, plan_push
from alignrec.export.hub.repository import HubRepo
from alignrec.export.hub.versions import Version
from tests.export.hub_cases import REPO, make_release


class Head:
    """Stands in for a repository whose head holds the files of a folder."""

    name = REPO

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def files(self, commit: str) -> dict[str, ExpectedFile]:
        assert commit == "c0"
        paths = [path for path in self.folder.rglob("*") if path.is_file()]
        return {
            path.relative_to(self.folder).as_posix(): ExpectedFile(path.stat().st_size, sha256_file(path))
            for path in paths
        }

    def read(self, path: str, commit: str, files: Mapping[str, ExpectedFile]) -> bytes | None:
        assert commit == "c0"
        return (self.folder / path).read_bytes() if path in files else None


def plan(head: Path | None, release: Path, manifest: Manifest) -> Plan:
    repo: Any = Head(head or release)
    return plan_push(cast(HubRepo, repo), "c0" if head else None, release, manifest, Version.parse("1.2.0"))


def published(folder: Path, **change: Any) -> Manifest:
    """A head as a push leaves it: a release, its note and its card."""
    manifest = make_release(folder, **change)
    (folder / "release.json").write_text("{}")
    (folder / CARD).write_text("---\nlicense: cc-by-4.0\n---\n")
    return manifest


def test_a_new_repository_gets_every_file(tmp_path: Path) -> None:
    manifest = make_release(tmp_path)
    found = plan(None, tmp_path, manifest)
    assert (found.parent, found.delete) == (None, [])
    listed = {entry.path: tmp_path / entry.path for entry in manifest.files}
    own = {path: found.add[path] for path in found.add if path not in ("release.json", CARD)}
    assert own == listed | {"manifest.json": tmp_path / "manifest.json"}
    note = json.loads(cast(bytes, found.add["release.json"]))
    assert note.pop("created").endswith("+00:00")
    assert note == {"version": "1.2.0", "release_id": manifest.release_id, "parent": None}
    texts = sum(len(cast(bytes, found.add[path])) for path in ("release.json", CARD))
    assert found.bytes == texts + sum(path.stat().st_size for path in own.values() if isinstance(path, Path))


def test_what_is_there_with_the_same_content_is_not_sent(tmp_path: Path) -> None:
    published(tmp_path / "head")
    manifest = make_release(tmp_path / "new", seeds={"image": 7})
    found = plan(tmp_path / "head", tmp_path / "new", manifest)
    assert (found.parent, found.delete) == ("c0", [])
    assert set(found.add) == {"data/image/part-00000.parquet", "manifest.json", "release.json", CARD}


def test_what_the_release_before_had_and_this_one_has_not_is_removed(tmp_path: Path) -> None:
    published(tmp_path / "head")
    (tmp_path / "head" / "notes.txt").write_text("not ours")
    manifest = make_release(tmp_path / "new", sets={"image": 8})
    found = plan(tmp_path / "head", tmp_path / "new", manifest)
    assert found.delete == ["data/multimodal/part-00000.parquet", "data/text/part-00000.parquet"]
    assert set(found.add) == {"manifest.json", "release.json", CARD}


@pytest.mark.parametrize("note", [False, True])
def test_files_that_no_release_put_there_are_not_replaced(tmp_path: Path, note: bool) -> None:
    head = tmp_path / "head"
    (head / "data" / "image").mkdir(parents=True)
    (head / "data" / "image" / "part-00000.parquet").write_bytes(b"a stranger's")
    if note:  # beside it a manifest that is none
        (head / "release.json").write_text("{}")
        (head / "manifest.json").write_text("{}")
    manifest = make_release(tmp_path / "new")
    with pytest.raises(RefusedError, match=r"no release put there.*data/image/part-00000\.parquet"):
        plan(head, tmp_path / "new", manifest)
