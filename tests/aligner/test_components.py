"""Principal components of unit rows: what they are, and what they are of little or nothing."""

from __future__ import annotations

import numpy as np
import torch

from alignrec.aligner.components import Components


def test_components_are_principal_components_of_unit_rows_rescaled() -> None:
    vectors = np.random.default_rng(0).standard_normal((50, 6)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    _, spread, axes = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ axes[:3].T / spread[:3] ** 0.5
    expected /= np.sqrt(np.square(expected).sum(axis=1).mean())
    got = Components(6, 3).fit(vectors, 0.5)(torch.from_numpy(vectors)).numpy()
    signs = np.sign((got * expected).sum(axis=0))
    np.testing.assert_allclose(got * signs, expected, atol=1e-4)


def test_components_beyond_the_rank_are_zeros() -> None:
    vectors = np.random.default_rng(0).standard_normal((3, 6)).astype(np.float32)
    got = Components(6, 5).fit(vectors, 1.0)(torch.from_numpy(vectors))
    assert torch.isfinite(got).all()
    assert not got[:, 2:].any()


def test_components_of_nothing_are_zeros() -> None:
    fitted = Components(6, 3)
    fitted.fit(np.random.default_rng(0).standard_normal((9, 6)).astype(np.float32), 0.5)
    fitted.fit(np.zeros((0, 6), np.float32), 0.5)
    assert not any(buffer.any() for buffer in fitted.buffers())
    assert not fitted(torch.ones(2, 6)).any()
