"""Which items are shown, and how they are called."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alignrec.pipeline.report.gallery import choose, clip


def test_items_with_most_interactions_are_shown() -> None:
    ids = [str(n) for n in range(10)]
    assert choose(ids, np.array([0, 5, 5, 1, 0, 0, 9, 0, 0, 0]), most=4).tolist() == [6, 1, 2, 3]
    assert choose(ids, None, most=4).tolist() == [0, 3, 6, 9]
    assert choose(ids, None).tolist() == list(range(10))


@given(st.text(max_size=30), st.integers(2, 20))
def test_clipped_text_fits(text: str, longest: int) -> None:
    assert len(clip(text, longest)) <= longest
    assert clip(text, longest) == text or clip(text, longest).endswith("…")
