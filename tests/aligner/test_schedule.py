"""The learning rate rises in a line and falls in half a cosine."""

from __future__ import annotations

from itertools import pairwise

import pytest

from alignrec.aligner.schedule import warmed_up


def test_it_rises_to_the_full_rate_and_falls_to_nothing() -> None:
    rates = [warmed_up(step, 100, 0.1) for step in range(101)]
    assert rates[:10] == pytest.approx([0.1 * (step + 1) for step in range(10)])
    assert rates[10] == 1 and rates[55] == pytest.approx(0.5) and rates[100] == pytest.approx(0)
    assert all(a > b for a, b in pairwise(rates[10:]))


def test_one_step_is_at_the_full_rate() -> None:
    assert warmed_up(0, 1, 0.0) == warmed_up(0, 0, 0.5) == 1
