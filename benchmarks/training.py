"""How long is an epoch of training, in the paper's form and in the default one, on MMRec's data?

    python benchmarks/training.py ../shared/bench/ml100k

The folder holds one interaction file `*.inter` with the split in `x_label`, and `mm_feat.npy`. Prints the
median epoch of several, once without validation (what the authors' code logs as an epoch's training time) and
once with it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.fitting import Trainer
from alignrec.aligner.graphs import content_neighbours
from alignrec.aligner.objective import Objective
from alignrec.aligner.protocols import centre
from alignrec.aligner.sampling import epoch_rng
from alignrec.aligner.splits import TRAIN, Split, read_mmrec
from alignrec.aligner.train_settings import TrainSettings
from alignrec.aligner.training import build, train

SEED = 1
CPU = torch.device("cpu")
FORMS = {"paper's form": TrainSettings.paper(device="cpu"), "default form": TrainSettings(device="cpu")}
Floats = NDArray[np.float32]


def read(folder: Path) -> tuple[Split, Floats]:
    """The split and the features of a folder in MMRec's format."""
    (interactions,) = folder.glob("*.inter")
    with interactions.open(encoding="utf-8") as lines:
        return read_mmrec(lines), np.load(folder / "mm_feat.npy", allow_pickle=False)


def learning(split: Split, features: Floats, settings: TrainSettings, epochs: int) -> float:
    """The median epoch's seconds of drawing batches and learning from them, and of nothing else."""
    known = centre(features)
    near = content_neighbours(known, settings.neighbours)
    model = build(known, near, split.users, settings, SEED, CPU)
    objective = Objective(settings, split.matrix(TRAIN), model.features, CPU)
    trainer = Trainer(model, objective, split, settings, SEED)
    model.train()
    spent = []
    for epoch in range(epochs):
        start = time.perf_counter()
        for batch in objective.batches(epoch_rng(SEED, epoch)):
            trainer.step(batch)
        spent.append(time.perf_counter() - start)
    return median(spent)


def whole(split: Split, features: Floats, settings: TrainSettings, epochs: int) -> float:
    """The median epoch's seconds with validation, between one epoch's end and the next's."""
    ends: list[float] = []
    some = settings.model_copy(update={"epochs": epochs + 1, "patience": epochs + 1})
    train(
        features,
        np.ones(len(features), dtype=np.bool_),
        split,
        some,
        SEED,
        advance=lambda *_: ends.append(time.perf_counter()),
    )
    return median(np.diff(ends).tolist())


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="in MMRec's format")
    parser.add_argument("--epochs", type=int, default=5)
    given = parser.parse_args(arguments)
    split, features = read(given.folder)
    print(f"{split.users:,} users, {split.items:,} items, {torch.get_num_threads()} threads")
    for name, settings in FORMS.items():
        alone, both = (work(split, features, settings, given.epochs) for work in (learning, whole))
        print(f"{name}: an epoch {alone:.2f} s, with validation {both:.2f} s", flush=True)


if __name__ == "__main__":
    main()
