"""How many epochs a training has that stops when validation gets no better."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import lru_cache

from alignrec.aligner.train.settings import TrainSettings
from alignrec.pipeline.runner.run_folder import RunFolder

# The training that is done to its end, and how long it may take.
_SMALL = {"members": 1, "dim": 64}
_SECONDS = 20.0
# By so much a training of another width, or of other interactions, may be longer or shorter.
_OTHER = 1.3
# Of one that took too long: as many times its patience.
_LONG = 5


class _TooLongError(Exception):
    """A training was not done in time."""


def epochs_with_content(run: RunFolder, settings: TrainSettings, seed: int) -> tuple[float, float]:
    """At least what patience allows, and at most what it would be without content, which learns slower."""
    return _fewest(settings), min(settings.epochs, _epochs_of_a_small_one(run, settings, seed))


def epochs_without_content(run: RunFolder, settings: TrainSettings, seed: int) -> tuple[float, float]:
    """About what a training of one small member has, at least and at most."""
    found = _epochs_of_a_small_one(run, settings, seed)
    return max(_fewest(settings), found / _OTHER), min(settings.epochs, found * _OTHER)


def _fewest(settings: TrainSettings) -> int:
    """The first epoch, and as many more as patience waits for a better one."""
    return min(settings.patience + 1, settings.epochs)


@lru_cache(maxsize=4)
def _epochs_of_a_small_one(run: RunFolder, settings: TrainSettings, seed: int) -> float:
    from alignrec.aligner.train.collaborative import collaborative  # loads torch

    began, done = time.perf_counter(), 0

    def count(epochs: int, _curve: Mapping[str, float]) -> None:
        nonlocal done
        done = epochs
        if time.perf_counter() - began > _SECONDS:
            raise _TooLongError

    try:
        collaborative(run.split().split, settings.model_copy(update=_SMALL), seed, advance=count)
    except _TooLongError:
        return float(min(settings.epochs, max(2 * done, _LONG * settings.patience)))
    return float(done)
