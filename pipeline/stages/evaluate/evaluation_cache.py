"""What one recommender got, on disk, so that an evaluation of many goes on where it was stopped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np

from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.core.files import replacing
from alignrec.pipeline.stages.evaluate.top_k import Judged, Part

_USERS = "users"


def kept_judged(path: Path, judge: Callable[[], Judged]) -> Judged:
    """What `path` holds; where it is not there yet, what `judge` finds, and `path` holds it from then on."""
    if not path.is_file():
        found = judge()
        with replacing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **_arrays(found))  # type: ignore[arg-type]
    return _JudgedFile(path)


@dataclass(frozen=True)
class _JudgedFile(Mapping[tuple[str, Part], Evaluation]):
    """Evaluations that are read when they are asked for: those of a whole table need not fit into memory."""

    path: Path

    def __getitem__(self, key: tuple[str, Part]) -> Evaluation:
        with np.load(self.path, allow_pickle=False) as arrays:
            of = {name.split("/")[2]: arrays[name] for name in arrays.files if _key(name) == key}
        users = of.pop(_USERS)
        return Evaluation(users, {_metric(name): values for name, values in of.items()})

    def __iter__(self) -> Iterator[tuple[str, Part]]:
        with np.load(self.path, allow_pickle=False) as arrays:
            return iter([_key(name) for name in arrays.files if name.endswith(f"/{_USERS}")])

    def __len__(self) -> int:
        return len(list(iter(self)))


def _arrays(found: Judged) -> dict[str, object]:
    """By `protocol/part/what`."""
    arrays: dict[str, object] = {}
    for (protocol, part), evaluation in found.items():
        arrays[f"{protocol}/{part}/{_USERS}"] = evaluation.users
        for (metric, k), values in evaluation.values.items():
            arrays[f"{protocol}/{part}/{metric}@{k}"] = values
    return arrays


def _key(name: str) -> tuple[str, Part]:
    return cast("tuple[str, Part]", tuple(name.split("/")[:2]))


def _metric(name: str) -> tuple[str, int]:
    metric, _, k = name.partition("@")
    return metric, int(k)
