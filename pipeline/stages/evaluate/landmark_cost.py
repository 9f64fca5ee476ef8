"""What the landmarks of an evaluation take, without waiting for them."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.landmarks.contract import Landmark, LandmarkInput
from alignrec.aligner.landmarks.registry import landmarks_of
from alignrec.pipeline.runner.cost import Measured, measuring

# To more items a landmark is not fitted, but to a quarter and to half of them: its time goes by a power.
MOST_ITEMS = 1000
_STEEPEST = 3.0  # of the powers that a landmark in closed form has


def instant_landmarks(items: int, *, full: bool) -> list[Landmark]:
    """The landmarks of an evaluation, none of which learns anything: what measuring them takes stays."""
    return [replace(mark, fit=_nothing) for mark in landmarks_of(items, full=full)]


def fit_cost(mark: Landmark, data: LandmarkInput) -> Measured:
    """What a landmark that is not trained takes to learn; its matrices are taken for items × items."""
    if data.split.items <= MOST_ITEMS:
        return _measured(mark, data)
    with measuring() as before:
        pass
    quarter, half = (_measured(mark, _part(data, share)) for share in (0.25, 0.5))
    power = min(max(math.log2(half.seconds / quarter.seconds), 0.0), _STEEPEST)
    memory = before[0].memory + 4 * max(0, half.memory - before[0].memory)
    return Measured(half.seconds * 2.0**power, memory)


def epochs_seconds(mark: Landmark, data: LandmarkInput) -> tuple[float, float]:
    """Of a landmark that is trained for `data.epochs`: what it takes beside its epochs, and an epoch."""
    times: list[float] = []

    def note(_epochs: int, _curve: dict[str, float]) -> None:
        times.append(time.perf_counter())

    seconds = _measured(mark, replace(data, hooks={"advance": note})).seconds
    epoch = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else seconds
    return max(0.0, seconds - epoch * len(times)), epoch


def _part(data: LandmarkInput, share: float) -> LandmarkInput:
    """A share of the items, drawn at random, and the interactions with them."""
    items = data.split.items
    kept = np.zeros(items, dtype=np.bool_)
    kept[np.random.default_rng(0).permutation(items)[: round(share * items)]] = True
    features = None if data.features is None else data.features[kept]
    valid = None if data.valid is None else data.valid[kept]
    return replace(data, split=data.split.of_items(kept), features=features, valid=valid)


def _nothing(data: LandmarkInput) -> Scorer:
    """Recommends by nothing, as fast as can be."""
    rng: NDArray[np.float32] = np.random.default_rng(0).random((data.split.users, 1), dtype=np.float32)
    return dot_scorer(rng, np.linspace(0, 1, data.split.items, dtype=np.float32)[:, None])


def _measured(mark: Landmark, data: LandmarkInput) -> Measured:
    with measuring() as taken:
        mark.fit(data)
    return taken[0]
