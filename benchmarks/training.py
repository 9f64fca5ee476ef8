"""How long is an epoch of training, in the paper's form and in the default one, on MMRec's data?

    python benchmarks/training.py ../shared/bench/ml100k [--authors AlignRec_CIKM24]

The folder holds one interaction file `*.inter` with the split in `x_label`, and `mm_feat.npy`. Prints the
median epoch of several, once without validation (what the authors' code logs as an epoch's training time) and
once with it.

Given a clone of the authors' repository, also runs its own main on the same data, as its `src/scripts.sh`
does, and prints the ratio of the paper's form to it. The clone must be ready for the data set, which it calls
by the folder's name: `src/configs/dataset/ml100k.yaml`, and in `data/ml100k` the interactions, and
`mm_feat.npy` as the vision features. Without a GPU, take `.cuda()` out of `src/models/alignrec.py`.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np
import torch
from numpy.typing import NDArray

from alignrec.aligner.content_space import centre
from alignrec.aligner.evaluate.splits import TRAIN, Split, read_mmrec
from alignrec.aligner.train.graphs import content_neighbours
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.task import UserItemTask
from alignrec.aligner.train.training import build, train
from alignrec.aligner.trainer import Trainer, epoch_rng

SEED = 1
CPU = torch.device("cpu")
PAPER = "paper's form"
FORMS = {PAPER: TrainSettings.paper(device="cpu"), "default form": TrainSettings(device="cpu")}
Floats = NDArray[np.float32]


def read(folder: Path) -> tuple[Split, Floats]:
    """The split and the features of a folder in MMRec's format."""
    (interactions,) = folder.glob("*.inter")
    with interactions.open(encoding="utf-8") as lines:
        return read_mmrec(lines), np.load(folder / "mm_feat.npy", allow_pickle=False)


def learning(split: Split, features: Floats, settings: TrainSettings, epochs: int) -> float:
    """The median epoch's seconds of drawing batches and learning from them, and of nothing else."""
    known = centre(features)
    neighbours = content_neighbours(known, settings.neighbours)
    model = build(known, neighbours, split.users, settings, SEED, CPU)
    objective = Objective(settings, split.matrix(TRAIN), model.features, CPU)
    trainer = Trainer(UserItemTask(model, objective, split, settings, SEED))
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


def authors(clone: Path, dataset: str, epochs: int) -> float:
    """The median epoch's training time that the authors' code logs, with as many threads as we have."""
    command = [sys.executable, "main.py", "--model", "ALIGNREC", "--dataset", dataset, "--ui_cosine_loss"]
    threads = {"OMP_NUM_THREADS": str(torch.get_num_threads())}
    spent: list[float] = []
    output: list[str] = []
    with subprocess.Popen(
        command,
        cwd=clone / "src",
        env=os.environ | threads,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        for line in process.stdout or ():
            output.append(line)
            if found := re.search(r"epoch \d+ training \[time: ([\d.]+)s", line):
                spent.append(float(found[1]))
            if len(spent) == epochs:
                process.terminate()  # it would go on to the end of its search
                break
    if len(spent) < epochs:
        sys.exit(
            f"the authors' code in {clone} logged {len(spent)} epochs, not {epochs}; it ended with\n"
            + "".join(output[-15:])
        )
    return median(spent)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="in MMRec's format")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--authors", type=Path, help="a clone of their repository, ready for the data set")
    given = parser.parse_args(arguments)
    split, features = read(given.folder)
    print(f"{split.users:,} users, {split.items:,} items, {torch.get_num_threads()} threads")
    ours = {}
    for name, settings in FORMS.items():
        alone, both = (work(split, features, settings, given.epochs) for work in (learning, whole))
        ours[name] = alone
        print(f"{name}: an epoch {alone:.2f} s, with validation {both:.2f} s", flush=True)
    if given.authors is not None:
        theirs = authors(given.authors, given.folder.resolve().name, given.epochs)
        print(f"authors' code: an epoch {theirs:.2f} s without validation")
        print(f"ratio of the paper's form to it: {ours[PAPER] / theirs:.3f} (at most 0.1)")


if __name__ == "__main__":
    main()
