"""What one recommender got, on disk, so that an evaluation of many goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import cast

import numpy as np

from alignrec.aligner.evaluation import Evaluation
from alignrec.aligner.measurement import Protocol
from alignrec.export.atomic import replacing

from .recommendation import Judged, Part

_USERS = "users"


def kept_judged(path: Path, judge: Callable[[], Judged]) -> Judged:
    """What `path` holds; where it is not there yet, what `judge` finds, and `path` holds it from then on."""
    if not path.is_file():
        found = judge()
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **_arrays(found))  # type: ignore[arg-type]
    return _read(path)


def _arrays(found: Judged) -> dict[str, object]:
    arrays: dict[str, object] = {}
    for (protocol, part), evaluation in found.items():
        arrays[f"{protocol}/{part}/{_USERS}"] = evaluation.users
        for (metric, k), values in evaluation.values.items():
            arrays[f"{protocol}/{part}/{metric}@{k}"] = values
    return arrays


def _read(path: Path) -> Judged:
    found: Judged = {}
    with np.load(path, allow_pickle=False) as arrays:
        for name in arrays.files:
            protocol, part, what = name.split("/")
            key = cast("tuple[Protocol, Part]", (protocol, part))
            if what == _USERS:
                found[key] = Evaluation(arrays[name], {})
            else:
                metric, _, k = what.partition("@")
                found[key].values[metric, int(k)] = arrays[name]
    return found
