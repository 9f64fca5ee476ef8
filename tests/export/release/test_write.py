"""A release is written in one layout, whole, with equal bytes for equal content."""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.core.features import FeatureSet
from alignrec.core.files import replacing_folder
from alignrec.core.names import OutsideError
from alignrec.export.errors import ReleaseError
from alignrec.export.release.manifest import Manifest
from alignrec.export.release.verify import verify_folder
from alignrec.export.release.write import check_free, fill_release, write_release
from tests.export.release.cases import IDS, REJECTED, contents, make_release, make_set


def test_the_layout_is_that_of_format_1(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    assert list(contents(folder)) == [
        "data/image/part-00000.parquet",
        "data/rejected.parquet",
        "data/text/part-00000.parquet",
        "encoder/extractors.json",
        "manifest.json",
        "metrics.json",
    ]
    table = pq.read_table(folder / "data/image/part-00000.parquet")
    assert table.schema.equals(
        pa.schema(
            [
                pa.field("item_id", pa.string(), nullable=False),
                pa.field("embedding", pa.list_(pa.float32(), 7), nullable=False),
                pa.field("valid", pa.bool_(), nullable=False),
            ]
        )
    )
    assert table.column("item_id").to_pylist() == sorted(IDS)
    rejected = pq.read_table(folder / "data/rejected.parquet")
    assert rejected.to_pylist() == [{k: v for k, v in REJECTED.items() if k != "detail"}]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["sets"]["image"] == {
        "dim": 7,
        "dtype": "float32",
        "rows": 5,
        "valid": 4,
        "key": "item_id",
    }


def test_equal_content_means_equal_bytes_and_id_and_only_content_counts(tmp_path: Path) -> None:
    first, second = make_release(tmp_path / "a"), make_release(tmp_path / "b")
    assert contents(first) == contents(second)
    relicensed = Manifest.read(make_release(tmp_path / "c", licence="other"))
    assert relicensed.release_id == Manifest.read(first).release_id
    other = make_release(tmp_path / "d", make_set("image", dim=8))
    assert Manifest.read(other).release_id != relicensed.release_id


def test_writing_again_replaces_the_release_in_one_step(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    make_release(folder, make_set("multimodal"))
    assert set(verify_folder(folder).sets) == {"multimodal"}
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


def test_sets_of_one_name_cannot_share_a_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="one feature set of a name"):
        write_release(tmp_path / "r", [make_set(), make_set()], [], {}, extractors={})


def test_a_release_without_a_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="at least one"):
        write_release(tmp_path / "r", iter(()), [], {}, extractors={})
    assert not list(tmp_path.iterdir())


def test_one_set_is_in_memory_at_a_time(tmp_path: Path) -> None:
    alive: list[weakref.ref[FeatureSet]] = []

    def read() -> Iterator[FeatureSet]:
        for name in ("image", "text", "multimodal"):
            assert all(one() is None for one in alive)
            features = make_set(name)
            alive.append(weakref.ref(features))
            yield features
            del features

    write_release(tmp_path / "r", read(), [], {}, extractors={})
    assert len(alive) == 3


def test_a_folder_that_is_there_is_filled_with_the_same_bytes(tmp_path: Path) -> None:
    with replacing_folder(tmp_path / "filled") as new:
        manifest = fill_release(
            new,
            [make_set("image"), make_set("text", dim=3)],
            [REJECTED],
            {"licence": "mit"},
            extractors={"image": {"name": "x"}},
            metrics=b"{}",
        )
    assert contents(tmp_path / "filled") == contents(make_release(tmp_path / "r"))
    assert verify_folder(tmp_path / "filled") == manifest


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002], ids=oct)
def test_a_release_has_the_permissions_of_the_umask_its_encoders_too(tmp_path: Path, umask: int) -> None:
    encoder = tmp_path / "encoder"
    (encoder / "more").mkdir(parents=True, mode=0o700)
    (encoder / "model.safetensors").write_bytes(b"weights")
    (encoder / "model.safetensors").chmod(0o600)
    (encoder / "more" / "config.json").touch(0o644)
    before = os.umask(umask)
    try:
        write_release(
            tmp_path / "r", [make_set()], [], {}, extractors={}, encoders={"aligner": encoder}, metrics=b"{}"
        )
    finally:
        os.umask(before)
    found = {str(p.relative_to(tmp_path / "r")): p for p in (tmp_path / "r").rglob("*")}
    assert found["encoder/aligner/model.safetensors"].read_bytes() == b"weights"
    verify_folder(tmp_path / "r")
    for path in (tmp_path / "r", *found.values()):
        mode = 0o777 if path.is_dir() else 0o666
        assert path.stat().st_mode & 0o777 == mode & ~umask, path
    assert (encoder / "model.safetensors").stat().st_mode & 0o777 == 0o600


def test_a_folder_that_holds_something_is_not_free(tmp_path: Path) -> None:
    check_free(tmp_path / "absent")
    (tmp_path / "empty").mkdir()
    check_free(tmp_path / "empty")
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(ReleaseError, match="is not empty: choose another folder"):
            check_free(path)


@pytest.mark.parametrize("name", ["../../victim", "/victim"])
def test_a_set_whose_name_is_a_path_is_not_written(tmp_path: Path, name: str) -> None:
    wanted = str(tmp_path / "victim") if name.startswith("/") else name
    with pytest.raises(OutsideError):
        make_release(tmp_path / "r", make_set(wanted))
    assert list(tmp_path.iterdir()) == []
