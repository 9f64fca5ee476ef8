"""Item-CF by shared users."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.sparse as sp

from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.aligner.landmarks.contract import LandmarkInput
from alignrec.aligner.landmarks.item_cf import ITEM_CF, SETTINGS, START, cooccurrence_cf
from alignrec.aligner.landmarks.search import validation_recall
from tests.aligner.worlds import two_tastes


def test_items_with_the_same_users_are_similar() -> None:
    history = sp.csr_array(np.array([[1, 1, 0], [1, 0, 0]], dtype=np.float32))
    assert cooccurrence_cf(history)(np.array([1]))[0] == pytest.approx([0, 1 / np.sqrt(2), 0])


def test_shrinkage_takes_from_similarities_of_few_users() -> None:
    history = sp.csr_array(np.array([[1, 1, 1], [1, 0, 1], [0, 0, 1], [1, 0, 0]], dtype=np.float32))
    scores = cooccurrence_cf(history, shrinkage=2)(np.array([3]))[0]
    assert scores == pytest.approx([0, 1 / (np.sqrt(3) + 2), 2 / (3 + 2)])


def test_the_landmark_has_settings_that_no_neighbour_of_theirs_beats_on_validation() -> None:
    split = two_tastes()[2]
    history = split.matrix(TRAIN)
    reached = validation_recall(ITEM_CF.fit(LandmarkInput(split)), split)
    first = validation_recall(cooccurrence_cf(history, **START), split)
    everything = [
        validation_recall(cooccurrence_cf(history, k, shrinkage), split)
        for k in SETTINGS.neighbours
        for shrinkage in SETTINGS.shrinkage
    ]
    assert first <= reached <= max(everything)
    assert reached in everything
