"""A set in one line from a folder: the right one, checked, mapped, in pieces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alignrec.export.errors import ReleaseError, VerificationError
from alignrec.export.load import iter_features, load_features
from tests.export.release.cases import make_release, make_set


def test_origin_travels_with_its_rows(tmp_path: Path) -> None:
    features = make_set("aligned", origin=["trained", "content", "trained", "x", "y"])
    folder = make_release(tmp_path / "r", features)
    loaded = load_features(folder)
    assert dict(zip(loaded.ids, loaded.origin or [], strict=True))["0001"] == "content"


def test_loading_names_the_nearest_set_and_prefers_the_best(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    with pytest.raises(ReleaseError, match=r"no set 'imgae'.*Did you mean 'image'"):
        load_features(folder, "imgae")
    with pytest.raises(ReleaseError, match="name one of image, text"):
        load_features(folder)
    assert load_features(make_release(folder, make_set("image"), make_set("multimodal"))).name == "multimodal"


def test_loading_reads_the_asked_set_alone(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    (folder / "data/text/part-00000.parquet").write_bytes(b"damaged")
    assert load_features(folder, "image").dim == 7
    with pytest.raises(VerificationError, match="bytes, expected"):
        load_features(folder, "text")


def test_a_mapped_set_equals_the_loaded_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HOME", str(tmp_path / "home"))
    origin = ["trained", "content", "content", "trained", "content"]
    folder = make_release(tmp_path / "r", make_set("aligned", origin=origin))
    whole = load_features(folder)
    for _ in range(2):  # the first writes the file, the second finds it
        mapped = load_features(folder, memory_map=True)
        assert isinstance(mapped.matrix, np.memmap) and not mapped.matrix.flags.writeable
        np.testing.assert_array_equal(mapped.matrix, whole.matrix)
        np.testing.assert_array_equal(mapped.valid, whole.valid)
        assert (mapped.ids, mapped.origin) == (whole.ids, whole.origin)
    assert mapped.nearest("b", 2) == whole.nearest("b", 2)
    make_release(folder, make_set("aligned", dim=3, origin=origin))
    assert load_features(folder, memory_map=True).dim == 3


def test_a_damaged_part_shows_when_its_turn_comes(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    (folder / "data/image/part-00000.parquet").write_bytes(b"x")
    with pytest.raises(VerificationError, match="part-00000"):
        next(iter_features(folder, "image"))


def test_pieces_are_those_of_the_whole(tmp_path: Path) -> None:
    folder = make_release(tmp_path / "r")
    whole = load_features(folder, "image")
    pieces = list(iter_features(folder, "image", rows=2))
    assert [i for piece in pieces for i in piece.ids] == list(whole.ids)
    np.testing.assert_array_equal(np.concatenate([piece.matrix for piece in pieces]), whole.matrix)
    np.testing.assert_array_equal(np.concatenate([piece.valid for piece in pieces]), whole.valid)
