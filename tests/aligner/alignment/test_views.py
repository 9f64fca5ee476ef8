"""Views in their principal components."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alignrec.aligner.alignment.views import (
    fit_view,
    project_view,
    view_columns,
    view_parts,
    view_weights,
)
from alignrec.aligner.inputs import ModalityInput, TokenSequences


def _view(width: int, rank: int, n: int = 300) -> ModalityInput:
    rng = np.random.default_rng(0)
    pooled = rng.standard_normal((n, rank)) @ rng.standard_normal((rank, width))
    valid = np.arange(n) >= 20
    tokens = TokenSequences(np.zeros((0, 2), np.float16), np.zeros(n + 1, np.int64))
    pooled = np.where(valid[:, None], pooled, 0).astype(np.float32)
    return ModalityInput(pooled, valid, tokens, columns=frozenset({"plot"}))


def test_components_keep_all_distances_between_centred_unit_vectors() -> None:
    source = _view(30, 30)
    got = project_view(fit_view(source), source)[20:]
    unit = source.pooled[20:] / np.linalg.norm(source.pooled[20:], axis=1, keepdims=True)
    unit -= unit.mean(axis=0)
    scale = np.sqrt(np.square(unit).sum(axis=1).mean())
    np.testing.assert_allclose(got @ got.T, unit @ unit.T / scale**2, atol=1e-4)


def test_no_more_components_than_vectors_use_and_at_most_256() -> None:
    assert fit_view(_view(30, 4)).basis.shape[1] <= 5
    assert fit_view(_view(400, 400)).basis.shape == (400, 256)
    alike = _view(6, 1)
    alike.pooled[20:] = 1
    assert fit_view(alike).basis.shape == (6, 1) and not project_view(fit_view(alike), alike).any()


def test_some_items_are_as_among_all_and_missing_ones_are_zeros() -> None:
    source = _view(12, 12)
    fitted = fit_view(source)
    whole = project_view(fitted, source)
    assert not whole[:20].any() and whole[20:].any(axis=1).all()
    np.testing.assert_allclose(project_view(fitted, source, slice(10, 40)), whole[10:40], atol=1e-6)
    parts, valid = view_parts({"photo": source})
    np.testing.assert_array_equal(parts["photo"], whole)
    np.testing.assert_array_equal(valid["photo"], source.valid)
    assert view_columns({"photo": source}) == {"photo": frozenset({"plot"})}


def test_pictures_have_at_most_a_fifth_of_the_length_where_there_is_anything_else() -> None:
    text, picture = replace(_view(6, 6), kind="text"), replace(_view(8, 8), kind="image")
    assert view_weights({"a": text, "photo": picture}) == {"a": 1.0, "photo": 0.5}
    two = view_weights({"a": text, "front": picture, "back": picture})
    assert sum(two[m] ** 2 for m in ("front", "back")) == pytest.approx(0.2 / 0.8)
    assert view_weights({"photo": picture, **dict.fromkeys("abcde", text)})["photo"] == 1.0
    assert view_weights({"front": picture, "back": picture}) == {"front": 1.0, "back": 1.0}
    assert view_weights({"image": replace(picture, kind=""), "text": text})["image"] == 0.5


def test_a_weight_is_the_length_of_a_view() -> None:
    source = replace(_view(8, 8), kind="image")
    whole, half = (project_view(fit_view(source, weight), source) for weight in (1.0, 0.5))
    np.testing.assert_allclose(half, whole / 2, atol=1e-6)
    assert np.square(half[20:]).sum(axis=1).mean() == pytest.approx(0.25, rel=1e-4)
    parts, _ = view_parts({"photo": source, "plot": replace(source, kind="text")})
    np.testing.assert_allclose(parts["photo"], parts["plot"] / 2, atol=1e-6)
