"""Interactions whose parts belong together."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from alignrec.export.formats.interactions import LABELS
from tests.export.formats.cases import split_interactions


def test_a_frame_has_the_interactions_in_order() -> None:
    interactions = split_interactions()
    assert LABELS == ("train", "valid", "test")
    frame = interactions.frame()
    assert frame.columns.tolist() == ["user_id", "item_id", "rating", "timestamp", "label"]
    assert frame.to_numpy().tolist() == [
        ["u1", "a/b", 4.0, 884183237, 0],
        ["u0", "0001", 5.0, 884183238, 0],
        ["u1", "0001", 4.0, 884183239, 1],
        ["u1", 'quo"te', 5.0, 884183240, 2],
        ["0002", "a/b", 4.0, 884183241, 0],
    ]


def test_parts_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"parts of one length, got \[4, 5\]"):
        replace(split_interactions(), items=["a"] * 4)
    with pytest.raises(ValueError, match="label must be 0"):
        replace(split_interactions(), label=np.array([0, 0, 3, 0, 0], np.uint8))
