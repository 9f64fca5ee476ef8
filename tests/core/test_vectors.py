"""Principal axes are those of a singular value decomposition, and always point the same way."""

from __future__ import annotations

import numpy as np

from alignrec.core.vectors import principal_axes


def test_principal_axes_are_the_singular_vectors_the_largest_first() -> None:
    rows = np.random.default_rng(0).standard_normal((40, 6)) * np.arange(1, 7)
    rows -= rows.mean(axis=0)
    values, axes = principal_axes(rows.T @ rows, 4)
    _, singular, expected = np.linalg.svd(rows, full_matrices=False)
    expected = expected[:4].T
    np.testing.assert_allclose(values, singular[:4] ** 2)
    np.testing.assert_allclose(axes * np.sign((axes * expected).sum(axis=0)), expected, atol=1e-10)
    assert (axes[np.abs(axes).argmax(axis=0), np.arange(4)] > 0).all(), "the largest entry decides the sign"


def test_there_are_at_most_as_many_axes_as_columns() -> None:
    values, axes = principal_axes(np.eye(3), 5)
    assert values.shape == (3,) and axes.shape == (3, 3)
