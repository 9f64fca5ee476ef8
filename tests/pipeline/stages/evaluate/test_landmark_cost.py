"""How long landmarks take, by small ones."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import Split
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.pipeline.runner import cost
from alignrec.pipeline.stages.evaluate import landmark_cost
from alignrec.pipeline.stages.evaluate.landmark_cost import epochs_seconds, fit_cost, instant_landmarks
from tests.structure.modules import ROOT


class Clock:
    """A clock that goes on when it is told to."""

    now = 0.0

    def perf_counter(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(landmark_cost, "time", clock)
    monkeypatch.setattr(cost, "time", clock)
    return clock


def data(items: int) -> LandmarkInput:
    item = np.arange(items)
    split = Split(2, items, item % 2, item, np.zeros(items, np.uint8))
    return LandmarkInput(split, np.ones((items, 3), np.float32), np.ones(items, np.bool_), epochs=3)


def landmark(fit: Callable[[LandmarkInput], None]) -> Landmark:
    def learn(given: LandmarkInput) -> Scorer:
        fit(given)
        return lambda users: np.zeros((len(users), given.split.items), np.float32)

    return Landmark("test", "", learn)


@pytest.mark.parametrize(("power", "expected"), [(0, 1.0), (2, 4096.0**2), (5, 2048.0**5 * 8)])
def test_the_time_of_a_large_one_goes_by_a_power_of_the_items(
    clock: Clock, power: int, expected: float
) -> None:
    sizes: list[int] = []

    def fit(given: LandmarkInput) -> None:
        assert given.features is not None and len(given.features) == given.split.items
        sizes.append(given.split.items)
        clock.now += float(given.split.items) ** power

    assert fit_cost(landmark(fit), data(4096)).seconds == pytest.approx(expected)
    assert sizes == [1024, 2048]


def test_a_small_one_is_fitted_as_it_is(clock: Clock) -> None:
    def fit(given: LandmarkInput) -> None:
        clock.now += given.split.items

    assert fit_cost(landmark(fit), data(100)).seconds == 100


def test_its_memory_is_that_of_matrices_of_items_by_items() -> None:
    """In a process of its own: what a long one has freed before hides what is taken anew."""
    code = (
        "import numpy as np\n"
        "from alignrec.pipeline.stages.evaluate.landmark_cost import fit_cost\n"
        "from tests.pipeline.stages.evaluate.test_landmark_cost import data, landmark\n"
        "fit = lambda given: np.ones((given.split.items, given.split.items)).sum()\n"
        "small, large = (fit_cost(landmark(fit), data(items)).memory for items in (8, 4096))\n"
        "print(large - small)\n"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    assert int(out) == pytest.approx(8 * 4096**2, rel=0.2)


def test_of_a_trained_one_epochs_are_told_from_the_rest(clock: Clock) -> None:
    def fit(given: LandmarkInput) -> None:
        clock.now += 5
        for epoch in range(1, given.epochs + 1):
            clock.now += 2
            given.hooks["advance"](epoch, {})  # type: ignore[misc]

    assert epochs_seconds(landmark(fit), data(10)) == (5, 2)


def test_instant_landmarks_are_all_of_the_evaluations_and_learn_nothing() -> None:
    found = instant_landmarks(100, full=False)
    assert [mark.name for mark in found] == [mark.name for mark in landmarks_of(100, full=False)]
    given = data(6)
    scores = found[0].fit(given)(np.arange(2))
    assert scores.shape == (2, 6) and np.isfinite(scores).all()
