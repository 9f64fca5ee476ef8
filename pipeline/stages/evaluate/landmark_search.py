"""The search for a trained landmark's settings on one split: each trial is logged, none done twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from alignrec.aligner.errors import AlignerError
from alignrec.aligner.landmarks.contract import Landmark
from alignrec.aligner.landmarks.search import climb
from alignrec.core.files import write_bytes
from alignrec.core.sealed import read_sealed_json, seal_json

# Trains under some settings, which a title names, to validation Recall@20.
Score = Callable[[Mapping[str, float], str], float]
_FAILED = -1.0


class LandmarkTrial(BaseModel):
    """One training of a search; `validation` is Recall@20, and below 0 where training failed."""

    settings: dict[str, float | int]
    validation: float


class LandmarkLog(BaseModel):
    """All trials of a search, in their order, and the settings that were chosen, once it is done."""

    landmark: str
    chosen_by: str = "validation recall@20"
    budget: int
    trials: list[LandmarkTrial] = []
    chosen: dict[str, float | int] | None = None

    def __str__(self) -> str:
        """The choice in words, for whoever reads the numbers."""
        words = _words(self.chosen or {})
        best = max((trial.validation for trial in self.trials), default=_FAILED)
        return f"{words}: the best validation Recall@20, {best:.4f}, of {len(self.trials)} trainings"


def searched(landmark: Landmark, path: Path, score: Score) -> LandmarkLog:
    """The log of a search, which goes on from where it was stopped.

    Args:
        landmark: one that has a search, and settings of a training.
        path: of the log, in a folder that may be missing; sealed, and written after each trial. One that is
            damaged begins anew.
        score: trains and validates.
    """
    search = landmark.search
    assert search is not None and landmark.settings is not None
    log = _read(path) or LandmarkLog(landmark=landmark.name, budget=search.budget)
    if log.chosen is not None:
        return log
    known = {_key(trial.settings): trial.validation for trial in log.trials}

    def tried(settings: Mapping[str, float]) -> float:
        if _key(settings) in known:
            return known[_key(settings)]
        place = f"settings {len(log.trials) + 1} of at most {search.budget}"
        title = f"{landmark.name}, {place}: {_words(settings)}"
        try:
            validation = score(settings, title)
            validation = _FAILED if math.isnan(validation) else validation  # no user to validate by
        except AlignerError:
            validation = _FAILED
        log.trials.append(LandmarkTrial(settings=dict(settings), validation=validation))
        _write(path, log)
        return validation

    start: dict[str, Any] = landmark.settings.model_dump(include=set(search.grid))
    chosen = climb(search.grid, {name: start[name] for name in search.grid}, tried, search.budget)
    log.chosen = dict(chosen)
    _write(path, log)
    return log


def _words(settings: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in sorted(settings.items()))


def _key(settings: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted(settings.items()))


def _read(path: Path) -> LandmarkLog | None:
    kept = read_sealed_json(path)
    try:
        return None if kept is None else LandmarkLog.model_validate(kept)
    except ValidationError:
        return None


def _write(path: Path, log: LandmarkLog) -> None:
    path.parent.mkdir(exist_ok=True)
    write_bytes(path, seal_json(log.model_dump(mode="json")))
