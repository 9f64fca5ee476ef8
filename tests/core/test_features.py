"""A feature set in memory: neighbours, and the forms that other libraries read."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.core.errors import AlignRecWarning
from alignrec.core.features import FeatureSet, Key
from alignrec.core.learned_from import LearnedFrom


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


def test_many_are_searched_as_one_by_one() -> None:
    features = make(60, 4)
    asked = [name for name, valid in zip(features.ids, features.valid, strict=True) if valid][::-1]
    ids, cosines = features.nearest(asked, 7)
    assert ids.shape == cosines.shape == (len(asked), 7) and cosines.dtype == np.float32
    for name, row, scores in zip(asked, ids.tolist(), cosines, strict=True):
        alone = features.nearest(name, 7)
        assert row == [other for other, _ in alone]
        np.testing.assert_allclose(scores, [cosine for _, cosine in alone], atol=1e-6)
    none, scores = features.nearest([], 7)
    assert none.shape == scores.shape == (0, 7)


@pytest.mark.parametrize("form", [np.asarray, torch.as_tensor, np.ndarray.tolist, np.float64])
def test_a_vector_finds_what_it_is_of(form: Any) -> None:
    features = make(9, 3)
    best = features.nearest(form(features.matrix[3]), 2)
    assert best[0] == ("i3", pytest.approx(1))
    assert best[1] == (features.nearest("i3", 1)[0][0], pytest.approx(features.nearest("i3", 1)[0][1]))
    ids, cosines = features.nearest(form(features.matrix[[3, 5]]), 20)
    assert ids[:, 0].tolist() == ["i3", "i5"] and ids.shape == cosines.shape == (2, 6)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ([0.0, 0.0], "vector 0 of the query is zeros or not finite"),
        ([[1.0, 0.0], [np.nan, 1.0]], "vector 1 of the query is zeros"),
        ([1.0, 2.0, 3.0], r"shape \(3,\), but the vectors of 'image' are"),
        (np.ones((2, 2, 2)), "shape"),
    ],
)
def test_a_vector_that_has_no_neighbours_is_refused(query: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(5, 2).nearest(query)


def test_a_set_is_a_mapping_from_ids_to_valid_vectors() -> None:
    features = replace(make(5, 2), ids=["7", "8", "9", "a", "b"])
    assert len(features) == 5 and list(features) == list(features.ids)
    assert "7" in features and 7 in features and "8" in features
    assert "z" not in features and None not in features
    np.testing.assert_array_equal(features["9"], features.matrix[2])
    np.testing.assert_array_equal(features[9], features.matrix[2])
    with pytest.raises(KeyError, match="'8' has no valid vector"):
        _ = features["8"]
    with pytest.raises(KeyError, match="'z' is not in the feature set 'image' of 5 rows"):
        _ = features["z"]


def test_some_rows_are_a_set_of_their_own() -> None:
    matrix = np.arange(8, dtype=np.float32).reshape(4, 2)
    whole = FeatureSet("content", list("abcd"), matrix, np.array([1, 0, 1, 1], bool), origin=list("wxyz"))
    part = whole.take(np.array([3, 0, 1]))
    assert (part.ids, part.origin, part.valid.tolist()) == (list("dab"), list("zwx"), [True, True, False])
    assert part.matrix.tolist() == [[6, 7], [0, 1], [2, 3]]
    part.matrix[:] = 0
    assert matrix.any() and len(whole.take(np.zeros(0, np.int64))) == 0
    assert replace(whole, origin=None).take(np.array([2])).origin is None


def test_normalized_rows_have_length_one_and_absent_ones_stay_zeros() -> None:
    features = make(7, 3)
    unit = features.normalized()
    np.testing.assert_allclose(np.linalg.norm(unit.matrix, axis=1), features.valid, atol=1e-6)
    np.testing.assert_allclose(unit["i2"], features["i2"] / np.linalg.norm(features["i2"]), atol=1e-6)
    assert unit.ids == features.ids and unit.fault() is None


def test_its_words_are_short_whatever_its_size() -> None:
    features = make(3000, 4)
    assert repr(features) == "<FeatureSet 'image': 3,000 items × 4, 2,000 valid>"
    users = replace(make(2, 4, lost=9), key="user_id", ids=["a", "b"], valid=np.ones(2, dtype=np.bool_))
    learned = replace(users, learned_from=LearnedFrom("the whole log", 12, 0))
    assert repr(learned) == (
        "<FeatureSet 'image': 2 users × 4; learned from all 12 interactions (the whole log); "
        "nothing was held out: it is for serving, and no interaction of this log can measure it>"
    )


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
    "ids",
    [[7, 9], np.array([7, 9]), pd.Series([7.0, 9.0]), torch.tensor([7, 9]), np.array(["7", "9"]), ("7", "9")],
    ids=lambda ids: type(ids).__name__,
)
def test_whole_numbers_stand_for_their_digits(ids: Any) -> None:
    features = replace(make(3, 2), ids=["9", "8", "7"])
    matrix, present = features.align_to(ids)
    assert present.all()
    np.testing.assert_array_equal(matrix, features.matrix[[2, 0]])


@pytest.mark.parametrize("ids", ["i0", b"i0", ["i0", None], ["i0", 0.5], [True], [b"i0"], [["i0"]], [np.nan]])
def test_what_is_no_id_is_refused(ids: Any) -> None:
    with pytest.raises(TypeError, match=r"expected (text|a list)"):
        make(3, 2).align_to(ids)


def test_ids_of_which_none_is_known_warn() -> None:
    with pytest.warns(AlignRecWarning, match="none of the 2 ids, such as '0', is in .* such as 'i0'"):
        matrix, present = make(3, 2).align_to([0, 1])
    assert not matrix.any() and not present.any()
    with pytest.warns(AlignRecWarning, match="which is empty"):
        make(0, 2).align_to(["i0"])


def test_ids_of_which_some_are_known_do_not_warn() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert make(3, 2).align_to(["zz", "i0", "i1"])[1].tolist() == [False, True, False]
        assert make(3, 2).align_to([])[0].shape == (0, 2)
        assert not make(3, 2).align_to(["i1"])[1].any()  # known, and without a vector


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
