"""What a folder was published as is known beside it, and the next version follows from what has changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignrec.core.errors import AlignRecWarning
from alignrec.export.hub import published_as as module
from alignrec.export.hub.published_as import PublishedAs, note_published, published_as
from alignrec.export.hub.versions import Version
from alignrec.export.load import open_release
from alignrec.export.release.extend import extend_release
from alignrec.export.release.manifest import Manifest
from tests.export.hub_cases import SETS, features, make_release

REPO = "team/features"


@pytest.fixture
def noted(tmp_path: Path) -> PublishedAs:
    make_release(tmp_path / "release")
    note_published(tmp_path / "release", REPO, "1.2.3")
    found = published_as(tmp_path / "release")
    assert found is not None
    return found


def test_it_is_read_as_noted(noted: PublishedAs, tmp_path: Path) -> None:
    manifest = Manifest.read(tmp_path / "release")
    assert (noted.repo, noted.version, noted.release_id) == (REPO, "1.2.3", manifest.release_id)
    assert set(noted.parts) == {f"data/{name}/part-00000.parquet" for name in SETS}
    assert noted.following(manifest) is None


def test_other_vectors_raise_the_first_number(noted: PublishedAs, tmp_path: Path) -> None:
    other = make_release(tmp_path / "other", seeds={"text": 1})
    assert noted.following(other) == Version(2, 0, 0)
    fewer = make_release(tmp_path / "fewer", sets={"image": 8})
    assert noted.following(fewer) == Version(2, 0, 0)


def test_added_items_and_sets_raise_the_second(noted: PublishedAs, tmp_path: Path) -> None:
    new = [
        replace(features(name, dim, seed=3, n=1), ids=["new"], matrix=np.zeros((1, dim), dtype=np.float32))
        for name, dim in SETS.items()
    ]
    extended = extend_release(open_release(tmp_path / "release"), new, [], tmp_path / "extended")
    assert noted.following(extended) == Version(1, 3, 0)
    assert noted.following(make_release(tmp_path / "more", sets={**SETS, "aligned": 4})) == Version(1, 3, 0)


def test_the_highest_version_of_a_repository_is_kept(noted: PublishedAs, tmp_path: Path) -> None:
    release = tmp_path / "release"
    note_published(release, REPO, "1.0.0")
    assert published_as(release) == noted
    note_published(release, "other/features", "0.1.0")
    assert published_as(release) == replace(noted, repo="other/features", version="0.1.0")


def test_a_damaged_note_is_none(noted: PublishedAs, tmp_path: Path) -> None:
    (place,) = tmp_path.glob("*-published.json")
    place.write_bytes(place.read_bytes().replace(b"1.2.3", b"9.2.3"))
    assert published_as(tmp_path / "release") is None


def test_a_note_that_cannot_be_written_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_release(tmp_path / "release")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "write_bytes", full)
    with pytest.warns(AlignRecWarning, match="No space left"):
        note_published(tmp_path / "release", REPO, "1.0.0")
    assert published_as(tmp_path / "release") is None
