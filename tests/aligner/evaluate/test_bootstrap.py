"""Intervals that cover as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from alignrec.aligner.evaluate.bootstrap import interval


def test_interval_covers_the_mean_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    found = [interval(rng.exponential(size=200), samples=400, seed=i) for i in range(200)]
    assert 0.89 <= np.mean([i.low <= 1 <= i.high for i in found]) <= 0.99


def test_pairs_narrow_the_interval() -> None:
    rng = np.random.default_rng(1)
    level, gain = rng.normal(0, 5, size=500), rng.normal(0.3, 0.5, size=500)
    paired = interval(level + gain, level)
    assert 0 < paired.low < paired.mean < paired.high
    assert paired == interval(level + gain, level)
    assert paired.high - paired.low < (interval(level).high - interval(level).low) / 5


@pytest.mark.parametrize(
    ("a", "b", "level"), [([], None, 0.95), ([1.0], [1.0, 2.0], 0.95), ([1.0], None, 1.0)]
)
def test_meaningless_intervals_are_refused(a: list[float], b: list[float] | None, level: float) -> None:
    with pytest.raises(ValueError, match="interval needs"):
        interval(np.array(a), None if b is None else np.array(b), level=level)
