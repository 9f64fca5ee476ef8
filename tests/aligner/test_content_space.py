"""Centring and concatenation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

from alignrec.aligner.content_space import centre, concatenate
from alignrec.aligner.errors import FeatureError
from alignrec.core.vectors import unit_rows
from tests.aligner.histories import seeds, world


@given(seeds)
def test_centred_rows_have_length_one_and_missing_ones_stay_out(seed: int) -> None:
    features, _ = world(seed)
    valid = features.any(axis=1)
    got = centre(features, valid)
    unit = features[valid] / np.linalg.norm(features[valid], axis=1, keepdims=True)
    rest = unit - unit.mean(axis=0)
    assert got[valid] == pytest.approx(rest / np.linalg.norm(rest, axis=1, keepdims=True), abs=1e-4)
    assert not got[~valid].any()


def test_nothing_to_centre_gives_zeros() -> None:
    assert not centre(np.ones((2, 3)), np.zeros(2, dtype=np.bool_)).any()
    assert unit_rows(np.zeros((2, 3))).tolist() == [[0] * 3] * 2


def test_concatenation_weighs_unit_rows() -> None:
    got = concatenate(np.array([[3.0, 4.0]]), np.array([[0.0, 5.0]]), weights=(0.5, 1.0))
    assert got[0] == pytest.approx([0.3, 0.4, 0, 1])
    with pytest.raises(FeatureError, match="equal rows"):
        concatenate(np.ones((2, 1)), np.ones((3, 1)))
