"""Counts of a run."""

from __future__ import annotations

import numpy as np

from alignrec.pipeline.report.overview import popularity


def test_popularity_begins_and_ends_with_a_filled_group() -> None:
    assert popularity(np.array([3, 4, 12, 12])) == [
        ("2 – 4", 2, 100.0),
        ("5 – 9", 0, 0.0),
        ("10 – 19", 2, 100.0),
    ]
    assert popularity(np.array([], dtype=np.int64)) == []
