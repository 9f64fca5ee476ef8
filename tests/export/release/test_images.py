"""Pictures lie beside a release and are no part of its identity."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from alignrec.export.errors import ReleaseError
from alignrec.export.load import open_release
from alignrec.export.release import images as module
from alignrec.export.release.extend import extend_release
from alignrec.export.release.images import add_images
from alignrec.export.release.manifest import Manifest
from alignrec.export.release.verify import verify_folder
from tests.export.release.test_extend import new_items
from tests.pipeline.catalogues import picture

PICTURES = [(f"i{n:03d}", picture(n)) for n in range(3)]


@pytest.fixture
def pictured(release: Path, tmp_path: Path) -> Path:
    """A copy of the release that holds pictures."""
    add_images(release, PICTURES, tmp_path / "pictured")
    return tmp_path / "pictured"


def test_pictures_leave_the_releases_identity_as_it_was(release: Path, pictured: Path) -> None:
    manifest = verify_folder(pictured)
    assert manifest.release_id == Manifest.read(release).release_id
    (part,) = manifest.images
    rows = pq.read_table(pictured / part.path).to_pylist()
    assert rows == [{"item_id": i, "image": {"bytes": data, "path": None}} for i, data in PICTURES]
    assert not Manifest.read(release).images


def test_many_pictures_fill_several_parts(
    release: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = len(PICTURES[0][1])
    monkeypatch.setattr(module, "ROW_GROUP_BYTES", size)
    monkeypatch.setattr(module, "PART_BYTES", size + 1)
    manifest = add_images(release, PICTURES, tmp_path / "pictured")
    assert [(entry.path, entry.rows) for entry in manifest.images] == [
        ("images/part-00000.parquet", 2),
        ("images/part-00001.parquet", 1),
    ]
    with pytest.raises(ReleaseError, match="not one picture"):
        add_images(release, [], tmp_path / "none")
    with pytest.raises(ReleaseError, match="pictures already"):
        add_images(tmp_path / "pictured", PICTURES, tmp_path / "twice")


def test_an_extended_release_leaves_them_out(pictured: Path, tmp_path: Path) -> None:
    extended = extend_release(open_release(pictured), new_items(["z"]), [], tmp_path / "more")
    assert not extended.images
    verify_folder(tmp_path / "more")
