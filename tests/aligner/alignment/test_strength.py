"""The strength of whitening, from content alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.alignment.consensus import Consensus, mean_eigenvalue
from alignrec.aligner.alignment.strength import STRENGTHS, _ranks, choose_strength, held_out_ranks
from alignrec.core.vectors import unit_rows

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


def test_views_that_share_nothing_are_not_blown_up() -> None:
    rng = np.random.default_rng(0)
    valid = {m: np.ones(400, dtype=np.bool_) for m in "ab"}
    for _ in range(10):
        parts = {m: rng.standard_normal((400, 30)) * np.linspace(3, 0.1, 30) for m in valid}
        assert choose_strength(parts, valid, seed=0) == STRENGTHS[-1]


def test_views_of_a_common_column_do_not_find_one_another() -> None:
    parts, valid = views(1.0, 8.0)
    columns = {"a": frozenset("x"), "b": frozenset("x"), "c": frozenset("y")}
    assert held_out_ranks(parts, valid, 0, columns).shape == (3 * 80, len(STRENGTHS))
    without = {m: part for m, part in parts.items() if m != "b"}
    marks = {m: valid[m] for m in without}
    np.testing.assert_allclose(
        held_out_ranks(parts, valid, 0, columns)[:80].mean(axis=0),
        held_out_ranks(without, marks, 0)[:80].mean(axis=0),
        atol=0.2,
    )
    assert not np.array_equal(held_out_ranks(parts, valid, 0, columns), held_out_ranks(parts, valid, 0))


def test_the_same_seed_gives_the_same_values_and_missing_views_are_left_out() -> None:
    parts, valid = views(1.0, 8.0)
    valid["b"][:300] = False
    parts["b"][:300] = 0
    first = held_out_ranks(parts, valid, 3)
    np.testing.assert_array_equal(first, held_out_ranks(parts, valid, 3))
    assert len(first) == 80 + 80  # of the few that have b, fewer than twenty are held out


def test_ranks_are_those_of_the_vectors_that_the_consensus_makes() -> None:
    parts, valid = views(1.0, 2.0, n=60, names="ab")
    consensus = Consensus.fit(parts, valid, strength=0.5, dim=64)
    width = parts["a"].shape[1]
    given, wanted = np.arange(width), np.arange(width, 2 * width)
    ridge = np.array([0.5 * mean_eigenvalue(consensus.covariance)])
    got = _ranks(parts["a"], parts["b"], consensus.covariance, given, wanted, ridge)[:, 0]
    none = np.zeros(60, dtype=np.bool_)
    by_a = unit_rows(consensus.vectors(parts, {**valid, "b": none})[0])
    by_b = unit_rows(consensus.vectors(parts, {**valid, "a": none})[0])
    alike = by_a @ by_b.T
    found = np.log((alike >= np.diag(alike)[:, None]).sum(axis=1))
    # Of two items that are as good as equally near, float32 may put either first.
    np.testing.assert_allclose(got, found / np.log(np.arange(1, 61)).mean() - 1, atol=0.03)


def test_where_few_items_are_found_the_next_larger_strength_is_taken() -> None:
    parts, valid = views(1.0, 2.0, n=600)
    rng = np.random.default_rng(1)
    noisy = {m: part + 1.2 * rng.standard_normal(part.shape) for m, part in parts.items()}
    for given, step in ((parts, 0), (noisy, 1)):
        ranks = held_out_ranks(given, valid, 0)
        best = ranks[:, [int(ranks.mean(axis=0).argmin())]]
        behind = ranks - best
        level = np.flatnonzero(behind.mean(axis=0) <= behind.std(axis=0) / np.sqrt(len(ranks))).max()
        assert (best.mean() > -1 / 3) == bool(step)
        assert choose_strength(given, valid, 0) == STRENGTHS[min(level + step, len(STRENGTHS) - 1)]
