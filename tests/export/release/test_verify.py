"""Whatever differs from the manifest is found and named."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.load import iter_features, load_features
from alignrec.export.release.opened import open_folder
from alignrec.export.release.verify import verify_folder
from tests.export.release.cases import make_release, reseal


@pytest.mark.parametrize("name", ["data/image/part-00000.parquet", "encoder/extractors.json", "metrics.json"])
def test_one_flipped_bit_is_found(tmp_path: Path, name: str) -> None:
    folder = make_release(tmp_path / "r")
    verify_folder(folder)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(VerificationError, match=rf"{name}: SHA-256 is"):
        verify_folder(folder)


def test_missing_extra_and_linked_files_are_found(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    (folder / "data" / "image" / "part-00001.parquet").write_bytes(b"")
    text = folder / "data" / "text" / "part-00000.parquet"
    text.rename(tmp_path / "moved.parquet")
    with pytest.raises(VerificationError) as caught:
        verify_folder(folder)
    assert "data/image/part-00001.parquet: not in the manifest" in str(caught.value)
    assert "data/text/part-00000.parquet: missing" in str(caught.value)
    text.symlink_to(tmp_path / "moved.parquet")
    with pytest.raises(VerificationError, match="leads outside the release"):
        verify_folder(folder)


def test_a_folder_without_manifest_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is not a release"):
        verify_folder(tmp_path)


def _changed(change: Callable[[pa.Table], pa.Table]) -> Callable[[Path], None]:
    return lambda path: pq.write_table(change(pq.read_table(path)), path)


def _with(column: str, values: object) -> Callable[[Path], None]:
    def change(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index(column)
        return table.set_column(place, column, values(table) if callable(values) else values)

    return _changed(change)


def _vectors(row: int, value: float | None) -> Callable[[pa.Table], pa.Array]:
    def make(table: pa.Table) -> pa.Array:
        rows = table["embedding"].to_pylist()
        rows[row][0] = value
        return pa.array(rows, pa.list_(pa.float32(), 7))

    return make


IDS = pa.array(["a", "b", "c", "d", "e"])


@pytest.mark.parametrize(
    ("change", "sets", "reason"),
    [
        (_with("embedding", _vectors(1, float("nan"))), {}, "no finite number"),
        (_with("embedding", _vectors(1, float("-inf"))), {}, "no finite number"),
        (_with("embedding", _vectors(3, 1.0)), {}, "not zeros"),
        (_with("embedding", _vectors(1, None)), {}, "null in embedding|cannot be read"),
        (_with("item_id", pa.array(["a", "b", "a", "d", "e"])), {}, "occurs twice"),
        (_with("item_id", pa.array(["a", None, "c", "d", "e"])), {}, "null in item_id"),
        (_with("item_id", pa.array(range(5))), {}, "has the columns"),
        (_with("valid", pa.array([True, None, True, False, True])), {}, "null in valid"),
        (_with("valid", pa.array([1, 1, 1, 0, 1])), {}, "has the columns"),
        (_changed(lambda table: table.drop_columns(["valid"])), {}, "has the columns"),
        (_changed(lambda table: table.append_column("valid", table["valid"])), {}, "has the columns"),
        (_changed(lambda table: table.slice(1)), {}, "4 rows, expected 5"),
        (
            lambda path: None,
            {"image": {"dim": 1 << 20, "dtype": "float32", "rows": 5, "valid": 4}},
            "has the columns",
        ),
        (
            lambda path: None,
            {"image": {"dim": 7, "dtype": "float32", "rows": 5, "valid": 3}},
            "4 of them valid",
        ),
        (lambda path: path.write_bytes(b"PAR1garbagePAR1"), {}, "cannot be read as Parquet"),
        (lambda path: path.write_bytes(b""), {}, "cannot be read as Parquet"),
        (
            lambda path: path.write_bytes(path.read_bytes()[:4] + b"x" * 300 + path.read_bytes()[304:]),
            {},
            "image",
        ),
    ],
)
def test_a_sealed_release_of_unsound_sets_is_refused_wherever_it_is_read(
    tmp_path: Path, change: Callable[[Path], None], sets: dict[str, Any], reason: str
) -> None:
    folder = make_release(tmp_path / "r")
    change(folder / "data/image/part-00000.parquet")
    reseal(folder, sets)
    with pytest.raises(VerificationError, match=reason):
        verify_folder(folder)
    with pytest.raises(VerificationError, match=reason):
        load_features(folder, "image")
    with pytest.raises(VerificationError, match=reason):
        list(iter_features(folder, "image", rows=2))


def test_what_a_manifest_claims_is_compared_before_anything_is_made_of_it(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    for wrong in ({"dim": 10**9}, {"valid": 6}, {"rows": 10**12}, {"rows": -1}, {"rows": "5"}, {"dim": 7.5}):
        reseal(folder, {"image": {"dim": 7, "dtype": "float32", "rows": 5, "valid": 4} | wrong})
        for read in (verify_folder, lambda path: load_features(path, "image")):
            with pytest.raises(
                VerificationError, match=r"not a valid release manifest: sets\.image|data/image"
            ):
                read(folder)


@pytest.mark.parametrize(
    "name", ["/victim/x", "../x", "..", "a\\b", "C:x", "con", "a" * 10_000, "IMAGE", "x.", "\x1b"]
)
def test_a_set_whose_name_is_a_path_writes_nothing(tmp_path: Path, name: str) -> None:
    folder = make_release(tmp_path / "r")
    outside = tmp_path / name if name.startswith("..") else Path(str(tmp_path) + name)
    wanted = str(outside) if name.startswith("/") else name
    reseal(folder, {wanted: {"dim": 7, "dtype": "float32", "rows": 5, "valid": 4}})
    for read in (verify_folder, open_folder, lambda path: load_features(path, "image")):
        with pytest.raises(VerificationError, match="not a valid release manifest"):
            read(folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r"]


def test_a_part_that_is_a_link_out_of_its_folder_is_not_followed(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    (folder / "data" / "image").rename(tmp_path / "elsewhere")
    (folder / "data" / "image").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(VerificationError, match="leads outside the release"):
        load_features(folder, "image")
