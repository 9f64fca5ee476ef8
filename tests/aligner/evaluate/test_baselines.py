from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.content_space import centre
from alignrec.aligner.evaluate.baselines import (
    ALONE,
    EQUAL,
    HALF_IMAGE,
    baselines,
    imputed,
    lose,
    ridge,
    whitened,
)
from alignrec.aligner.inputs import Inputs, ModalityInput, TokenSequences


def _inputs(n: int = 60) -> Inputs:
    """Images are a turned copy of the texts, so that each tells the other; item 0 has no image, 1 no text."""
    rng = np.random.default_rng(0)
    text = rng.standard_normal((n, 6)).astype(np.float32)
    image = text @ np.linalg.qr(rng.standard_normal((6, 6)))[0].astype(np.float32)
    inputs = {}
    for gap, (name, pooled) in enumerate({"image": image, "text": text}.items()):
        valid = np.arange(n) != gap
        tokens = TokenSequences(np.zeros((0, 3), dtype=np.float16), np.zeros(n + 1, dtype=np.int64))
        inputs[name] = ModalityInput(np.where(valid[:, None], pooled, np.float32(0)), valid, tokens)
    return inputs


def test_parts_stand_side_by_side_and_gaps_are_zeros() -> None:
    features = baselines(_inputs())
    assert list(features)[:4] == ["image", "text", "centred image", "centred text"]
    both = features["centred concatenation"]
    assert np.allclose(both, np.hstack([features["centred image"], features["centred text"]]), atol=1e-6)
    assert not both[0, :6].any() and both[0, 6:].any()
    assert np.allclose(features[HALF_IMAGE][:, :6], both[:, :6] / 2, atol=1e-6)
    assert list(baselines({"text": _inputs()["text"]})) == ["text", "centred text"]


def test_a_pair_stands_beside_what_it_is_made_of() -> None:
    two = _inputs()
    found = baselines({**two, "both": replace(two["text"], kind="pair")})
    assert np.array_equal(found["centred both"], found["centred text"])
    for name, features in baselines(two).items():
        assert np.array_equal(found[name], features)
    assert list(baselines({"both": replace(two["text"], kind="pair")})) == ["both", "centred both"]


def test_names_leave_room_for_numbers_on_eighty_columns() -> None:
    inputs = _inputs()
    assert max(map(len, [*baselines(inputs), *imputed(inputs, 1)])) <= 31


def test_each_view_is_whitened_alone_and_none_is_told() -> None:
    inputs = _inputs()
    features = baselines(inputs)
    for name in (EQUAL, ALONE):
        matrix = features[name]
        other = {**inputs, "image": inputs["image"].without(np.arange(60) < 20)}
        assert matrix.shape == (60, 12) and not matrix[0].all()
        assert not baselines(other)[name][2:20].all(axis=1).any(), "zeros stay where a view is missing"
    kept = features[EQUAL][2:].astype(np.float64)
    assert np.allclose(np.linalg.norm(kept, axis=1).mean(), 1, atol=0.1)


def test_any_number_of_modalities_stand_side_by_side() -> None:
    two = _inputs()
    three = {**two, "maker": replace(two["text"], kind="text"), "photo": replace(two["image"], kind="image")}
    features = baselines(three)
    assert features["concatenation"].shape == features["whitened concatenation"].shape == (60, 24)
    half = features[HALF_IMAGE] / np.where(
        features["centred concatenation"] == 0, 1, features["centred concatenation"]
    )
    assert np.allclose(half[2:, :6], 0.5, atol=1e-4) and np.allclose(half[2:, 18:], 0.5, atol=1e-4)
    filled = imputed(three, seed=0)["ridge imputation"]
    assert filled.shape == (60, 24) and filled[0, :6].any() and filled[1, 6:18].any()


def test_whitened_parts_are_as_large_in_every_direction() -> None:
    inputs = _inputs()
    kept = whitened(inputs["text"])[inputs["text"].valid].astype(np.float64)
    spread = np.cov(kept.T)
    assert np.allclose(spread, spread[0, 0] * np.eye(len(spread)), atol=1e-3 * spread[0, 0])


def test_what_is_missing_is_told_from_the_other_side_and_the_rest_stays() -> None:
    inputs = _inputs()
    whole = centre(np.vstack([inputs["image"].pooled]), inputs["image"].valid)
    lost = lose(inputs["image"].valid, 0.3, seed=1)
    features, halved = imputed({**inputs, "image": inputs["image"].without(lost)}, seed=0).values()
    assert np.allclose(halved[:, :6], features[:, :6] / 2) and np.array_equal(halved[:, 6:], features[:, 6:])
    left = inputs["image"].valid & ~lost
    cosine = (features[lost, :6] * whole[lost]).sum(axis=1) / np.linalg.norm(features[lost, :6], axis=1)
    assert cosine.min() > 0.7 and cosine.mean() > 0.95
    assert np.allclose(np.linalg.norm(features[left, :6], axis=1), 1, atol=1e-5)


def test_ridge_equals_the_closed_form_on_either_side_of_square() -> None:
    rng = np.random.default_rng(3)
    for pairs in (8, 40):
        known, given_rows = rng.standard_normal((pairs, 12)), rng.standard_normal((5, 12))
        wanted = rng.standard_normal((pairs, 2))
        got = ridge(*(a.astype(np.float32) for a in (known, wanted, given_rows)), seed=0)
        forms = [
            given_rows @ np.linalg.solve(known.T @ known + s * np.eye(12), known.T @ wanted)
            for s in (1e-3, 1e-2, 1e-1, 1.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
        ]
        assert min(np.abs(got - form).max() for form in forms) < 1e-4


@given(st.integers(0, 50), st.floats(0, 1), st.floats(0, 1), st.integers(0, 5))
def test_losses_are_nested_exact_and_only_of_what_is_there(n: int, a: float, b: float, seed: int) -> None:
    valid = np.random.default_rng(n).random(n) < 0.8
    less, more = (lose(valid, share, seed) for share in sorted((a, b)))
    assert not (less & ~more).any() and not (more & ~valid).any()
    assert less.sum() == round(min(a, b) * valid.sum())
    if n > 20 and 0.3 < a < 0.7:
        assert not np.array_equal(lose(valid, a, seed), lose(valid, a, seed + 1))


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_nothing_or_all_can_be_lost(share: float) -> None:
    valid = np.array([True, False, True])
    assert lose(valid, share, 0).tolist() == (valid & (share == 1)).tolist()
