"""`curves.json`: how a training went, a number an epoch."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from alignrec.core.files import write_bytes
from alignrec.pipeline.errors import RunFolderError

CURVES = "curves.json"


class Point(BaseModel):
    """One number of a stage's `curves.json`."""

    model_config = ConfigDict(frozen=True)

    epoch: float
    metric: str
    value: float
    split: str | None = None
    seed: int | None = None


class Curves(BaseModel):
    """The whole of a stage's `curves.json`."""

    model_config = ConfigDict(frozen=True)

    records: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Curve:
    """One number over the epochs of one stage.

    Attributes:
        stage: `finetune`, `pretrain` or `train`.
        metric: what was measured, such as `loss` or `recall@20`.
        split: the part of the data, where that is said.
        seed: of the training.
        points: epoch (from 1) and value, epochs ascending.
    """

    stage: str
    metric: str
    split: str | None
    seed: int | None
    points: tuple[tuple[float, float], ...]


def loss_records(curves: Sequence[Mapping[str, float]], seed: int) -> list[dict[str, object]]:
    """The records of losses named `loss.…` or `held out …`, for each epoch of a training."""
    return [
        {"epoch": epoch, "metric": f"{name} loss", "value": value, "split": split, "seed": seed}
        for epoch, losses in enumerate(curves, start=1)
        for key, value in losses.items()
        for prefix, split in (("loss.", "train"), ("held out ", "held out"))
        if (name := key.removeprefix(prefix)) != key
    ]


def write_records(records: Sequence[dict[str, object]], path: Path) -> None:
    """Write `{"records": [{epoch, metric, value, split, seed}]}`."""
    write_bytes(path, (json.dumps({"records": records}, indent=1) + "\n").encode())


def read_curves(path: Path, stage: str) -> list[Curve]:
    """The curves of a stage; none when it has not run.

    Raises:
        RunFolderError: the file is not what training writes.
    """
    if not path.is_file():
        return []
    try:
        records = Curves.model_validate_json(path.read_bytes()).records
    except ValueError as error:
        raise RunFolderError(
            f"{path} holds no training curves ({' '.join(str(error).split())[:200]}). "
            f"Delete the folder {stage} and run again."
        ) from None
    lines: dict[tuple[str, str | None, int | None], list[tuple[float, float]]] = defaultdict(list)
    for point in records:
        lines[point.metric, point.split, point.seed].append((point.epoch, point.value))
    return [Curve(stage, *key, tuple(sorted(points))) for key, points in lines.items()]
