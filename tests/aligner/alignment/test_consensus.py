"""The closed-form alignment of all views."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from alignrec.aligner.alignment.consensus import Consensus, joint_covariance

Doubles = NDArray[np.float64]
World = tuple[dict[str, Doubles], dict[str, NDArray[np.bool_]]]
WIDTHS = {"photo": 5, "title": 3, "maker": 4}


def world(n: int, seed: int = 0, lost: float = 0.0) -> World:
    """Three centred views of items that have two causes in common; a share of each view is lost."""
    rng = np.random.default_rng(seed)
    causes = rng.standard_normal((n, 2))
    valid = {m: rng.random(n) >= lost for m in WIDTHS}
    parts = {}
    for m, width in WIDTHS.items():
        view = causes @ rng.standard_normal((2, width)) + 0.5 * rng.standard_normal((n, width))
        view -= view[valid[m]].mean(axis=0)
        parts[m] = np.where(valid[m][:, None], view, 0.0)
    return parts, valid


def cosines(vectors: NDArray[np.float32]) -> Doubles:
    unit = vectors.astype(np.float64)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    return np.asarray(unit @ unit.T)


def test_vectors_have_the_inner_products_of_ridge_smoothing() -> None:
    """Z (C + s)^-1 Z' equals n K (K + n s)^-1 with the n by n matrix K = Z Z'."""
    parts, valid = world(40)
    stacked = np.hstack(list(parts.values()))
    covariance = stacked.T @ stacked / 40
    got, lacking = Consensus(WIDTHS, covariance, 0.7, 12).vectors(parts, valid)
    ridge = 0.7 * np.trace(covariance) / 12
    kernel = stacked @ stacked.T
    expected = kernel @ np.linalg.inv(kernel + 40 * ridge * np.eye(40))
    expected *= 40 / np.trace(expected)
    np.testing.assert_allclose(got @ got.T, expected, atol=1e-5)
    assert not lacking.any()


def test_a_missing_view_is_told_from_all_others_by_ridge_regression() -> None:
    parts, valid = world(60)
    stacked = np.hstack(list(parts.values()))
    covariance = stacked.T @ stacked / 60
    consensus = Consensus(WIDTHS, covariance, 0.1, 12)
    seen = np.r_[0:5, 8:12]
    ridge = 0.1 * np.trace(covariance) / 12
    weights = np.linalg.lstsq(
        np.vstack([stacked[:, seen], np.sqrt(60 * ridge) * np.eye(9)]),
        np.vstack([stacked[:, 5:8], np.zeros((9, 3))]),
        rcond=None,
    )[0]
    filled = parts | {"title": stacked[:, seen] @ weights}
    expected, _ = consensus.vectors(filled, valid)
    got, lacking = consensus.vectors(
        parts | {"title": np.full((60, 3), np.nan)}, valid | {"title": valid["title"] & False}
    )
    np.testing.assert_allclose(got, expected, atol=1e-6)
    assert 0 < lacking[0] < 1


def test_the_covariance_divides_each_view_by_the_items_that_have_it() -> None:
    parts, valid = world(5000, lost=0.4)
    got = joint_covariance(parts, valid)
    photo, maker = valid["photo"], valid["maker"]
    np.testing.assert_allclose(got[:5, :5], parts["photo"].T @ parts["photo"] / photo.sum(), rtol=1e-9)
    both = (photo & maker).sum()
    shown = parts["photo"].T @ parts["maker"] / both
    share = both / np.sqrt(photo.sum() * maker.sum())
    np.testing.assert_allclose(got[:5, 8:], share * shown, rtol=1e-9)
    assert np.linalg.eigvalsh(got).min() > 0


def test_views_that_share_nothing_tell_nothing() -> None:
    rng = np.random.default_rng(5)
    parts = {m: rng.standard_normal((50, 20)) for m in ("a", "b")}
    valid = {m: np.ones(50, dtype=np.bool_) for m in parts}
    consensus = Consensus({"a": 20, "b": 20}, np.eye(40), 1.0, 40)
    vectors, lacking = consensus.vectors(parts, valid | {"b": ~valid["b"]})
    np.testing.assert_allclose(vectors, parts["a"] @ consensus.whitening[:20], atol=1e-6)
    np.testing.assert_allclose(lacking, 0.5, atol=1e-6)


def test_complete_items_are_1_long_in_the_root_mean_square_and_spread_is_theirs() -> None:
    parts, valid = world(500)
    consensus = Consensus(WIDTHS, np.cov(np.hstack(list(parts.values())).T, bias=True), 0.3, 8)
    vectors, _ = consensus.vectors(parts, valid)
    assert vectors.shape == (500, 8)
    assert np.square(vectors).sum(axis=1).mean() == pytest.approx(1, rel=1e-4)
    np.testing.assert_allclose(vectors.std(axis=0), consensus.spread, rtol=1e-3)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    lost=st.sampled_from([0.0, 0.3]),
    strength=st.sampled_from([0.03, 1.0, 100.0]),
)
def test_neither_turning_a_view_nor_the_order_of_views_or_items_changes_likeness(
    seed: int, lost: float, strength: float
) -> None:
    parts, valid = world(30, seed, lost)
    some = np.any(list(valid.values()), axis=0)
    parts, valid = {m: p[some] for m, p in parts.items()}, {m: v[some] for m, v in valid.items()}
    rng = np.random.default_rng(seed)
    before = cosines(Consensus.fit(parts, valid, strength=strength, dim=12).vectors(parts, valid)[0])
    turned = {
        m: part @ np.linalg.qr(rng.standard_normal((part.shape[1],) * 2))[0] for m, part in parts.items()
    }
    names = list(rng.permutation(list(parts)))
    order = rng.permutation(len(before))
    other = {m: turned[m][order] for m in names}
    marks = {m: valid[m][order] for m in names}
    after = cosines(Consensus.fit(other, marks, strength=strength, dim=12).vectors(other, marks)[0])
    np.testing.assert_allclose(after, before[np.ix_(order, order)], atol=1e-4)


def test_few_items_and_unused_components_give_finite_vectors() -> None:
    parts, valid = world(3)
    parts["title"][:, 1:] = 0
    vectors, _ = Consensus.fit(parts, valid, strength=0.03, dim=12).vectors(parts, valid)
    assert np.isfinite(vectors).all() and vectors.any(axis=1).all()
    nothing = {m: np.zeros_like(part) for m, part in parts.items()}
    assert not Consensus.fit(nothing, valid, strength=1.0, dim=12).vectors(nothing, valid)[0].any()


def test_one_view_is_whitened_alone_and_an_item_without_any_has_zeros() -> None:
    parts, _ = world(50)
    one, mark = {"photo": parts["photo"]}, {"photo": np.arange(50) > 0}
    one["photo"][0] = 0
    vectors, lacking = Consensus.fit(one, mark, strength=1e-9, dim=5).vectors(one, mark)
    assert not vectors[0].any() and not lacking.any()
    np.testing.assert_allclose(vectors.T @ vectors / 49, np.eye(5) / 5, atol=1e-5)


def test_a_vector_depends_on_its_item_alone() -> None:
    parts, valid = world(40, lost=0.3)
    consensus = Consensus.fit(parts, valid, strength=0.3, dim=12)
    whole, lacking = consensus.vectors(parts, valid)
    for i in range(40):
        row, lack = consensus.vectors(
            {m: p[[i]] for m, p in parts.items()}, {m: v[[i]] for m, v in valid.items()}
        )
        np.testing.assert_allclose(row[0], whole[i], atol=1e-6)
        assert lack[0] == lacking[i]
