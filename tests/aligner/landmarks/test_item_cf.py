"""Item-CF by shared users."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.item_cf import ITEM_CF, cooccurrence_cf
from tests.aligner.worlds import two_tastes


def test_items_with_the_same_users_are_similar() -> None:
    history = sp.csr_array(np.array([[1, 1, 0], [1, 0, 0]], dtype=np.float32))
    assert cooccurrence_cf(history)(np.array([1]))[0] == pytest.approx([0, 1 / np.sqrt(2), 0])


def test_the_landmark_has_fifty_neighbours_of_each_item() -> None:
    split = two_tastes()[2]
    users = np.arange(split.users)
    got = ITEM_CF.fit(LandmarkInput(split))(users)
    assert np.array_equal(got, cooccurrence_cf(split.matrix(TRAIN), 50)(users))
    assert not np.array_equal(got, cooccurrence_cf(split.matrix(TRAIN), 10)(users))
