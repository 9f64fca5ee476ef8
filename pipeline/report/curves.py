"""How training went, epoch by epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from alignrec.pipeline.errors import RunFolderError

# What a stage's `curves.json` holds: for each epoch, from the first, its numbers by name.
_EPOCHS = TypeAdapter(list[dict[str, float]])
# A name begins with the part of the data that the number is of, where there is one.
PARTS = ("train", "held out")


@dataclass(frozen=True)
class Curve:
    """One number over the epochs of one stage.

    Attributes:
        stage: `pretrain` or `train`.
        metric: what was measured, such as `loss` or `recall@20`.
        part: of the data, where the name says so.
        points: epoch (from 1) and value, epochs ascending.
    """

    stage: str
    metric: str
    part: str | None
    points: tuple[tuple[float, float], ...]


def read_curves(path: Path, stage: str) -> list[Curve]:
    """The curves of a stage; none when it has not run.

    Raises:
        RunFolderError: the file is not what training writes.
    """
    if not path.is_file():
        return []
    try:
        epochs = _EPOCHS.validate_json(path.read_bytes())
    except ValueError as error:
        raise RunFolderError(
            f"{path} holds no training curves ({' '.join(str(error).split())[:200]}). "
            f"Delete the folder {stage} and run again."
        ) from None
    names = dict.fromkeys(name for epoch in epochs for name in epoch)
    return [_curve(stage, name, epochs) for name in names]


def _curve(stage: str, name: str, epochs: list[dict[str, float]]) -> Curve:
    part = next((part for part in PARTS if name.startswith(f"{part} ")), None)
    metric = name.removeprefix(f"{part} ") if part else name
    points = tuple((float(n), epoch[name]) for n, epoch in enumerate(epochs, start=1) if name in epoch)
    return Curve(stage, metric, part, points)
