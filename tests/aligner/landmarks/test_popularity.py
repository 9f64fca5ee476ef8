"""Popularity counts the training history alone."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from alignrec.aligner.evaluate.splits import Split
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.popularity import POPULARITY, popularity


def test_everybody_is_given_the_same_list() -> None:
    history = sp.csr_array(np.array([[1, 1, 0], [1, 0, 0]], dtype=np.float32))
    assert popularity(history)(np.array([1, 0])).tolist() == [[2, 1, 0], [2, 1, 0]]


def test_the_landmark_looks_at_training_alone() -> None:
    user, item = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2])
    split = Split(2, 3, user, item, np.array([0, 1, 0, 2], np.uint8))
    assert POPULARITY.fit(LandmarkInput(split))(np.array([1])).tolist() == [[2, 0, 0]]
