"""The strength of whitening, from content alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.alignment.strength import STRENGTHS, choose_strength, taste_recalls

Doubles = NDArray[np.float64]


def views(
    shared: float, private: float, n: int = 400, names: str = "abc"
) -> tuple[dict[str, Doubles], dict[str, NDArray[np.bool_]]]:
    """Views of eight common causes, in which something large is each view's own."""
    rng = np.random.default_rng(0)
    causes = rng.standard_normal((n, 8))
    parts = {
        m: np.hstack(
            [private * rng.standard_normal((n, 4)), shared * causes, 0.1 * rng.standard_normal((n, 20))]
        )
        for m in names
    }
    return parts, {m: np.ones(n, dtype=np.bool_) for m in names}


def test_what_views_share_in_small_components_is_found_by_whitening() -> None:
    assert choose_strength(*views(shared=1.0, private=8.0), seed=0) <= 1


def test_small_components_that_are_noise_stay_small() -> None:
    assert choose_strength(*views(shared=1.0, private=0.1), seed=0) >= 10


def test_what_cannot_be_judged_is_not_blown_up() -> None:
    parts, valid = views(1.0, 8.0)
    assert choose_strength({"a": parts["a"]}, {"a": valid["a"]}, seed=0) == STRENGTHS[-1]
    few = {m: part[:30] for m, part in parts.items()}
    assert choose_strength(few, {m: marks[:30] for m, marks in valid.items()}, seed=0) == STRENGTHS[-1]
    columns = {m: frozenset({"description", m}) for m in parts}
    assert choose_strength(parts, valid, seed=0, columns=columns) == STRENGTHS[-1]


def test_views_of_a_common_column_do_not_judge_one_another() -> None:
    parts, valid = views(1.0, 8.0)
    columns = {"a": frozenset("x"), "b": frozenset("x"), "c": frozenset("y")}
    assert len(taste_recalls(parts, valid, 0, columns)) == len(taste_recalls(parts, valid, 0)) == 3 * 400
    assert not np.array_equal(taste_recalls(parts, valid, 0, columns), taste_recalls(parts, valid, 0))


def test_the_same_seed_gives_the_same_values_and_missing_views_are_left_out() -> None:
    parts, valid = views(1.0, 8.0)
    valid["b"][:300] = False
    parts["b"][:300] = 0
    first = taste_recalls(parts, valid, 3)
    np.testing.assert_array_equal(first, taste_recalls(parts, valid, 3))
    assert len(first) == 400 + 100 + 400
