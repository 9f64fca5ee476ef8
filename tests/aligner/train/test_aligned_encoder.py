"""Aligned encoders that earlier versions saved give the vectors they gave then; what is none is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from alignrec.aligner.errors import EncoderError, FeatureError
from alignrec.aligner.train import aligned_encoder
from alignrec.aligner.train.aligned_encoder import AlignedEncoder

SAVED = Path(__file__).parents[1] / "saved"


def test_an_encoder_that_an_earlier_version_saved_gives_the_same_vectors(tmp_path: Path) -> None:
    expected = load_file(SAVED / "expected.safetensors")
    features = expected["features"]
    encoder = AlignedEncoder.from_pretrained(SAVED / "aligner")
    aligned, content = encoder.encode(features, features.any(axis=1))
    np.testing.assert_allclose(aligned, expected["aligned"], atol=1e-6)
    np.testing.assert_allclose(content, expected["content"], atol=1e-6)
    encoder.save_pretrained(tmp_path)
    for name in ("config.json", "model.safetensors"):
        assert (tmp_path / name).read_bytes() == (SAVED / "aligner" / name).read_bytes()


@pytest.mark.parametrize("block", [1, 3])
def test_a_block_of_items_has_the_vectors_that_they_have_among_all(
    monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    features = load_file(SAVED / "expected.safetensors")["features"]
    encoder, valid = AlignedEncoder.from_pretrained(SAVED / "aligner"), features.any(axis=1)
    whole = encoder.encode(features, valid)
    monkeypatch.setattr(aligned_encoder, "_BLOCK", block)
    for mine, wanted in zip(encoder.encode(features, valid), whole, strict=True):
        np.testing.assert_allclose(mine, wanted, atol=1e-6)


def copy(folder: Path, **changes: Any) -> Path:
    """The saved encoder with another config."""
    shutil.copytree(SAVED / "aligner", folder, dirs_exist_ok=True)
    config = json.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_text(json.dumps(config | changes))
    return folder


@pytest.mark.parametrize(
    "changes",
    [
        *({"members": value} for value in (0, -1, 5, 10**6, "2", True, 2.0, None, [2])),
        *({"neighbours": value} for value in (0, -1, "10", True, 1.5, None)),
        *({"unit": value} for value in (1, "true", None)),
        {"more": 1},
    ],
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    with pytest.raises(EncoderError, match=str(tmp_path)):
        AlignedEncoder.from_pretrained(copy(tmp_path, **changes))


@pytest.mark.parametrize("name", ["mean", "features", "weight", "bias", "item", "passed", "category"])
@pytest.mark.parametrize("change", ["missing", "flat", "one row more", "empty", "scalar", "nan"])
def test_tensors_that_do_not_fit_together_are_refused(tmp_path: Path, name: str, change: str) -> None:
    folder = copy(tmp_path)
    tensors = load_file(folder / "model.safetensors")
    found = tensors.pop(name)
    if change == "flat":
        tensors[name] = found.reshape(-1, 1, 1)
    elif change == "one row more":
        tensors[name] = np.concatenate([found, found[:1]])
    elif change == "empty":
        tensors[name] = found[:0]
    elif change == "scalar":
        tensors[name] = np.array(1, np.float32)
    elif change == "nan":
        tensors[name] = np.full_like(found, np.nan)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(EncoderError, match=r"model\.safetensors: "):
        AlignedEncoder.from_pretrained(folder)


def test_an_encoder_of_no_items_is_refused(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    tensors = load_file(folder / "model.safetensors")
    rows = ("features", "item", "passed", "category")
    save_file({n: t[:0] if n in rows else t for n, t in tensors.items()}, folder / "model.safetensors")
    with pytest.raises(EncoderError, match="0 items"):
        AlignedEncoder.from_pretrained(folder)


def test_features_that_are_longer_than_unit_rows_are_refused(tmp_path: Path) -> None:
    folder = copy(tmp_path)
    tensors = load_file(folder / "model.safetensors")
    tensors["features"] = tensors["features"] * np.float32(3e38)
    save_file(tensors, folder / "model.safetensors")
    with pytest.raises(EncoderError, match="not unit rows"):
        AlignedEncoder.from_pretrained(folder)


def test_more_neighbours_than_items_are_all_of_them(tmp_path: Path) -> None:
    features = load_file(SAVED / "expected.safetensors")["features"]
    valid = features.any(axis=1)
    items = len(AlignedEncoder.from_pretrained(SAVED / "aligner").item)
    vectors = [
        AlignedEncoder.from_pretrained(copy(tmp_path, neighbours=k)).encode(features, valid)[0]
        for k in (items, 10**30)
    ]
    np.testing.assert_array_equal(*vectors)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_features_that_are_no_finite_numbers_are_refused(value: float) -> None:
    features = load_file(SAVED / "expected.safetensors")["features"].copy()
    features[0, 0] = value
    with pytest.raises(FeatureError, match="finite"):
        AlignedEncoder.from_pretrained(SAVED / "aligner").encode(features, np.ones(len(features), np.bool_))


VALUES = st.none() | st.booleans() | st.integers(-2, 20) | st.floats() | st.text(max_size=3)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    st.dictionaries(
        st.sampled_from(["format", "neighbours", "members", "unit", "more"]), VALUES | st.lists(VALUES)
    )
)
def test_any_config_is_an_encoder_or_an_error_of_its_own(
    tmp_path_factory: pytest.TempPathFactory, changes: dict[str, Any]
) -> None:
    folder = copy(tmp_path_factory.getbasetemp() / "any aligner", **changes)
    features = load_file(SAVED / "expected.safetensors")["features"]
    try:
        encoder = AlignedEncoder.from_pretrained(folder)
    except EncoderError as error:
        assert str(folder) in str(error)
    else:
        assert np.isfinite(encoder.encode(features, features.any(axis=1))[0]).all()
