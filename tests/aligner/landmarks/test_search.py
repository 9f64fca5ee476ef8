"""The search of a landmark's settings, against looking at every settings there are."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import given
from hypothesis import strategies as st

from alignrec.aligner.landmarks.search import climb

GRID = {"a": (1.0, 2.0, 3.0, 4.0), "b": (0.0, 0.5, 1.0)}


@given(st.sampled_from(GRID["a"]), st.sampled_from(GRID["b"]), st.sampled_from(GRID["a"]))
def test_a_single_peak_is_found_from_anywhere(a: float, b: float, peak: float) -> None:
    def score(settings: Mapping[str, float]) -> float:
        return -abs(settings["a"] - peak) - abs(settings["b"] - 0.5)

    assert climb(GRID, {"a": a, "b": b}, score, 12) == {"a": peak, "b": 0.5}


@given(st.lists(st.integers(0, 5), min_size=12, max_size=12), st.integers(1, 12))
def test_no_settings_are_scored_twice_and_none_beyond_the_budget(values: list[int], budget: int) -> None:
    order = [(a, b) for a in GRID["a"] for b in GRID["b"]]
    tried: list[tuple[float, float]] = []

    def score(settings: Mapping[str, float]) -> float:
        tried.append((settings["a"], settings["b"]))
        return values[order.index(tried[-1])]

    best = climb(GRID, {"a": 2.0, "b": 0.5}, score, budget)
    assert tried[0] == (2.0, 0.5)
    assert len(tried) == len(set(tried)) <= budget
    reached = {settings: values[order.index(settings)] for settings in tried}
    assert reached[best["a"], best["b"]] == max(reached.values())


def test_of_equals_the_first_stays() -> None:
    assert climb(GRID, {"a": 3.0, "b": 1.0}, lambda _: 0.5, 12) == {"a": 3.0, "b": 1.0}


def test_without_validation_nothing_is_chosen() -> None:
    assert climb(GRID, {"a": 3.0, "b": 1.0}, lambda _: float("nan"), 12) == {"a": 3.0, "b": 1.0}
