"""What one recommender reached, on disk, so that an evaluation of many goes on where it was stopped."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
from numpy.lib.npyio import NpzFile

from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.evaluator import Part
from alignrec.aligner.evaluate.top_k import Evaluations
from alignrec.core.sealed import read_sealed, sealed_content, sealing

_USERS = "users"


def kept_evaluations(path: Path, evaluate: Callable[[], Evaluations]) -> Evaluations:
    """What `path` holds, undamaged; else what `evaluate` returns, and `path` holds it from then on."""
    if read_sealed(path) is None:
        evaluations = evaluate()
        with sealing(path) as temporary, temporary.open("wb") as file:
            np.savez_compressed(file, **_arrays(evaluations))  # type: ignore[arg-type]
    return _EvaluationsFile(path)


@dataclass(frozen=True)
class _EvaluationsFile(Mapping[tuple[str, Part], Evaluation]):
    """Evaluations that are read when they are asked for: those of all pieces need not fit into memory."""

    path: Path

    def __getitem__(self, key: tuple[str, Part]) -> Evaluation:
        with self._open() as arrays:
            columns = {name.split("/")[2]: arrays[name] for name in arrays.files if _key(name) == key}
        users = columns.pop(_USERS)
        return Evaluation(users, {_metric(name): values for name, values in columns.items()})

    def __iter__(self) -> Iterator[tuple[str, Part]]:
        with self._open() as arrays:
            return iter([_key(name) for name in arrays.files if name.endswith(f"/{_USERS}")])

    def __len__(self) -> int:
        return len(list(iter(self)))

    def _open(self) -> NpzFile:
        found: NpzFile = np.load(io.BytesIO(sealed_content(self.path)), allow_pickle=False)
        return found


def _arrays(evaluations: Evaluations) -> dict[str, object]:
    """By `protocol/part/what`."""
    arrays: dict[str, object] = {}
    for (protocol, part), evaluation in evaluations.items():
        arrays[f"{protocol}/{part}/{_USERS}"] = evaluation.users
        for (metric, k), values in evaluation.values.items():
            arrays[f"{protocol}/{part}/{metric}@{k}"] = values
    return arrays


def _key(name: str) -> tuple[str, Part]:
    return cast("tuple[str, Part]", tuple(name.split("/")[:2]))


def _metric(name: str) -> tuple[str, int]:
    metric, _, k = name.partition("@")
    return metric, int(k)
