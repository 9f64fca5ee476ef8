"""A feature set in memory: neighbours, and the forms that other libraries read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.core.features import FeatureSet, Key


def make(n: int, dim: int, seed: int = 0, lost: int = 3) -> FeatureSet:
    valid = np.arange(n) % lost != 1
    matrix = np.random.default_rng(seed).normal(size=(n, dim)).astype(np.float32)
    matrix[~valid] = 0
    return FeatureSet("image", [f"i{row}" for row in range(n)], matrix, valid)


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(1, 50), st.integers(0, 9))
def test_nearest_is_what_a_full_sort_gives(n: int, dim: int, k: int, seed: int) -> None:
    features = make(n, dim, seed)
    unit = features.matrix / np.maximum(np.linalg.norm(features.matrix, axis=1, keepdims=True), 1e-30)
    others = [row for row in range(1, n) if features.valid[row]]
    expected = sorted(others, key=lambda row: -float(unit[row] @ unit[0]))[:k]
    found = features.nearest("i0", k)
    assert len(found) == len(expected)
    np.testing.assert_allclose([cosine for _, cosine in found], unit[expected] @ unit[0], atol=1e-5)
    assert all(features.valid[int(name[1:])] for name, _ in found)


def test_ties_are_in_row_order() -> None:
    matrix = np.ones((6, 2), dtype=np.float32)
    features = FeatureSet("image", list("abcdef"), matrix, np.ones(6, dtype=np.bool_))
    assert [name for name, _ in features.nearest("b", 3)] == ["a", "c", "d"]


def test_nearest_names_what_it_cannot_find() -> None:
    features = make(5, 2)
    with pytest.raises(KeyError, match="'x' is not in the feature set 'image'"):
        features.nearest("x")
    with pytest.raises(KeyError, match="'i1' has no valid vector"):
        features.nearest("i1")
    with pytest.raises(ValueError, match="at least 1"):
        features.nearest("i0", 0)


def test_frames_are_indexed_by_id_and_join() -> None:
    image = make(4, 2)
    text = FeatureSet("text", image.ids, image.matrix, image.valid, origin=["trained"] * 4)
    frame = image.to_pandas().join(text.to_pandas())
    assert list(frame.columns) == [
        *("image_0", "image_1", "image_valid"),
        *("text_0", "text_1", "text_valid", "text_origin"),
    ]
    assert frame.index.name == "item_id" and list(frame.index) == list(image.ids)
    assert frame["image_0"].dtype == np.float32
    assert frame.loc["i2", "image_1"] == image.matrix[2, 1]
    pd.testing.assert_series_equal(frame["image_valid"], frame["text_valid"], check_names=False)


def test_tensors_share_memory_unless_it_is_read_only() -> None:
    features = make(4, 2)
    matrix, valid = features.to_torch()
    assert matrix.dtype == torch.float32 and valid.dtype == torch.bool
    assert matrix.data_ptr() == features.matrix.ctypes.data
    features.matrix.flags.writeable = False
    copied, _ = features.to_torch()
    assert copied.data_ptr() != features.matrix.ctypes.data
    torch.testing.assert_close(copied, matrix)


def test_arrow_has_the_columns_of_a_release() -> None:
    table = make(4, 2).to_arrow()
    assert table.column_names == ["item_id", "embedding", "valid"]
    assert table.column("embedding").to_pylist()[2] == make(4, 2).matrix[2].tolist()


@pytest.mark.parametrize("origin", [None, ["trained", "content", "trained", "content"]])
@pytest.mark.parametrize("key", ["item_id", "user_id"])
def test_arrow_gives_the_set_back(key: Key, origin: list[str] | None) -> None:
    features = replace(make(4, 2), key=key, origin=origin)
    table = features.to_arrow()
    pieces = pa.concat_tables([table.slice(0, 3), table.slice(3)])
    for columns in (table, pieces, table.to_batches()[0], table.append_column("more", pa.array([1] * 4))):
        back = FeatureSet.from_arrow("image", columns)
        assert (back.name, back.ids, back.key, back.origin) == ("image", features.ids, key, origin)
        np.testing.assert_array_equal(back.matrix, features.matrix)
        np.testing.assert_array_equal(back.valid, features.valid)
        assert back.matrix.dtype == np.float32 and back.valid.dtype == np.bool_
    part = FeatureSet.from_arrow("image", table.slice(2, 1))
    assert part.ids == ["i2"] and part.matrix.tolist() == [features.matrix[2].tolist()]
    assert FeatureSet.from_arrow("image", table.slice(0, 0)).matrix.shape == (0, 2)


def test_arrow_shares_the_memory_of_the_set() -> None:
    features = make(4, 2)
    assert (
        FeatureSet.from_arrow("image", features.to_arrow()).matrix.ctypes.data == features.matrix.ctypes.data
    )


def test_arrow_without_a_column_of_a_set_is_refused() -> None:
    with pytest.raises(KeyError, match="valid"):
        FeatureSet.from_arrow("image", make(4, 2).to_arrow().drop_columns(["valid"]))


def test_an_id_that_occurs_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="occurs twice"):
        FeatureSet("image", ["a", "b", "a"], np.zeros((3, 2), np.float32), np.ones(3, np.bool_))


def test_aligning_gives_zeros_and_a_mask_for_what_is_absent() -> None:
    vectors = np.arange(1, 7, dtype=np.float32).reshape(3, 2) * [[1], [1], [0]]
    features = FeatureSet("image", ["b", "a", "nan"], vectors.astype(np.float32), np.arange(3) != 2)
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


def test_a_fault_is_found_in_any_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("alignrec.core.features._BLOCK", 4)
    assert make(11, 3).fault() is None and make(0, 3).fault() is None
    for row in range(11):
        features = make(11, 3)
        features.matrix[row, 1] = np.nan
        assert features.fault() == f"the vector of 'i{row}' has a value that is no finite number"
    for row in (1, 4, 7, 10):
        features = make(11, 3)
        features.matrix[row, 1] = 1
        assert features.fault() == f"'i{row}' has no valid vector, but one that is not zeros"
