from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.export import FeatureSet, Manifest, iter_features, load_features, verify_folder, write_release
from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.release.parquet import iter_parts, read_parts, write_parts

IDS = ["b", "0001", "nan", "a/b", "идентификатор"]
REJECTED = {
    "source": "items",
    "row": 3,
    "item_id": "a/b",
    "user_id": None,
    "modality": "image",
    "stage": "extract",
    "reason": "truncated",
    "detail": "stays in the run folder",
}


def _set(name: str = "image", ids: list[str] = IDS, dim: int = 7, **more: Any) -> FeatureSet:
    rng = np.random.default_rng(len(ids) * dim)
    valid = np.arange(len(ids)) != 2
    matrix = rng.standard_normal((len(ids), dim)).astype(np.float32) * valid[:, None]
    return FeatureSet(name, ids, matrix, valid, **more)


def _release(folder: Path, *sets: FeatureSet, licence: str = "mit") -> Path:
    write_release(
        folder,
        sets or [_set("image"), _set("text", dim=3)],
        [REJECTED],
        {"licence": licence},
        extractors={"image": {"name": "x"}},
        metrics=b"{}",
    )
    return folder


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_layout_is_that_of_format_1(tmp_path: Path) -> None:
    folder = _release(tmp_path / "r")
    assert list(_files(folder)) == [
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
    first, second = _release(tmp_path / "a"), _release(tmp_path / "b")
    assert _files(first) == _files(second)
    relicensed = Manifest.read(_release(tmp_path / "c", licence="other"))
    assert relicensed.release_id == Manifest.read(first).release_id
    other = _release(tmp_path / "d", _set("image", dim=8))
    assert Manifest.read(other).release_id != relicensed.release_id


def test_writing_again_replaces_the_release_in_one_step(tmp_path: Path) -> None:
    folder = _release(tmp_path / "r")
    _release(folder, _set("multimodal"))
    assert set(verify_folder(folder).sets) == {"multimodal"}
    assert [p.name for p in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize("name", ["data/image/part-00000.parquet", "encoder/extractors.json", "metrics.json"])
def test_one_flipped_bit_is_found(tmp_path: Path, name: str) -> None:
    folder = _release(tmp_path / "r")
    verify_folder(folder)
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(VerificationError, match=rf"{name}: SHA-256 is"):
        verify_folder(folder)


def test_missing_extra_and_linked_files_are_found(tmp_path: Path) -> None:
    folder = _release(tmp_path / "r")
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


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "data/../../x", "a\\..\\b", "C:/x", "", ".", "data//x", "data/./x"]
)
def test_a_manifest_that_points_outside_its_folder_is_refused(tmp_path: Path, path: str) -> None:
    folder = _release(tmp_path / "r")
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][0]["path"] = path
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(VerificationError, match=r"files\.0\.path"):
        verify_folder(folder)
    with pytest.raises(VerificationError):
        load_features(folder, "image")


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"release_id": "0" * 64},
        {"surprise": 1},
        {"sets": {"image": {"dim": 0}}},
    ],
)
def test_a_manifest_of_another_form_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    folder = _release(tmp_path / "r")
    manifest = json.loads((folder / "manifest.json").read_text()) | change
    (folder / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(VerificationError, match="not a valid release manifest"):
        verify_folder(folder)


def test_a_folder_without_manifest_is_no_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="is not a release"):
        verify_folder(tmp_path)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.text(st.characters(blacklist_categories=("Cs",))), min_size=1, max_size=40, unique=True),
    st.integers(1, 9),
    st.integers(1, 50),
)
def test_parts_give_back_any_ids_vectors_and_masks(
    tmp_path_factory: pytest.TempPathFactory, ids: list[str], dim: int, rows_per_part: int
) -> None:
    features = _set("image", ids, dim)
    paths = write_parts(features, tmp_path_factory.mktemp("parts"), rows_per_part)
    again = read_parts("image", "item_id", dim, paths)
    assert list(again.ids) == sorted(ids)
    matrix, present = again.align_to(ids)
    assert np.array_equal(matrix, features.matrix)
    assert np.array_equal(present, features.valid)


def test_origin_travels_with_its_rows(tmp_path: Path) -> None:
    folder = _release(tmp_path / "r", _set("aligned", origin=["trained", "content", "trained", "x", "y"]))
    loaded = load_features(folder)
    assert dict(zip(loaded.ids, loaded.origin or [], strict=True))["0001"] == "content"


def test_loading_names_the_nearest_set_and_prefers_the_best(tmp_path: Path) -> None:
    folder = _release(tmp_path / "r")
    with pytest.raises(ReleaseError, match=r"no set 'imgae'.*Did you mean 'image'"):
        load_features(folder, "imgae")
    with pytest.raises(ReleaseError, match="name one of image, text"):
        load_features(folder)
    assert load_features(_release(folder, _set("image"), _set("multimodal"))).name == "multimodal"


def test_loading_reads_the_asked_set_alone(tmp_path: Path) -> None:
    folder = _release(tmp_path / "r")
    (folder / "data/text/part-00000.parquet").write_bytes(b"damaged")
    assert load_features(folder, "image").dim == 7
    with pytest.raises(VerificationError, match="bytes, expected"):
        load_features(folder, "text")


def test_aligning_gives_zeros_and_a_mask_for_what_is_absent() -> None:
    features = _set()
    matrix, present = features.align_to(["zz", "b", "nan", "b"])
    assert present.tolist() == [False, True, False, True]
    assert np.array_equal(matrix[1], features.matrix[0])
    assert not matrix[[0, 2]].any()


@pytest.mark.parametrize(
    "parts",
    [
        {"ids": ["a", "a"]},
        {"ids": ["a"]},
        {"matrix": np.zeros((2, 3))},
        {"matrix": np.zeros(2, dtype=np.float32)},
        {"valid": np.ones(3, dtype=np.bool_)},
        {"valid": np.ones(2)},
        {"origin": ["trained"]},
    ],
)
def test_parts_that_do_not_belong_together_are_refused(parts: dict[str, Any]) -> None:
    whole: dict[str, Any] = {
        "ids": ["a", "b"],
        "matrix": np.zeros((2, 3), dtype=np.float32),
        "valid": np.ones(2, dtype=np.bool_),
    }
    with pytest.raises(ValueError, match="feature set 'x'"):
        FeatureSet("x", **(whole | parts))


def test_sets_of_one_name_cannot_share_a_release(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="distinct names"):
        write_release(tmp_path / "r", [_set(), _set()], [], {}, extractors={})


def test_a_mapped_set_equals_the_loaded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    origin = ["trained", "content", "content", "trained", "content"]
    folder = _release(tmp_path / "r", _set("aligned", origin=origin))
    whole = load_features(folder)
    for _ in range(2):  # the first writes the file, the second finds it
        mapped = load_features(folder, memory_map=True)
        assert isinstance(mapped.matrix, np.memmap) and not mapped.matrix.flags.writeable
        np.testing.assert_array_equal(mapped.matrix, whole.matrix)
        np.testing.assert_array_equal(mapped.valid, whole.valid)
        assert (mapped.ids, mapped.origin) == (whole.ids, whole.origin)
    assert mapped.nearest("b", 2) == whole.nearest("b", 2)
    _release(folder, _set("aligned", dim=3, origin=origin))
    assert load_features(folder, memory_map=True).dim == 3


def test_a_set_comes_in_pieces_across_parts(tmp_path: Path) -> None:
    features = _set()
    paths = write_parts(features, tmp_path, rows_per_part=2)
    pieces = list(iter_parts("image", "item_id", 7, paths, rows=2))
    assert [len(piece.ids) for piece in pieces] == [2, 2, 1]
    assert [i for piece in pieces for i in piece.ids] == sorted(IDS)
    folder = _release(tmp_path / "r")
    (folder / "data/image/part-00000.parquet").write_bytes(b"x")
    with pytest.raises(VerificationError, match="part-00000"):
        next(iter_features(folder, "image"))
