"""Does training fit into memory at the size of Amazon Electronics, and how long would an epoch take?

    python benchmarks/scale.py

Draws a random catalogue, builds both graphs as training does, and takes a few training steps in the paper's
form and in the default one. Prints the graphs' peak memory beyond the features and the interactions, the peak
of the whole process, and an epoch's time without validation, extrapolated by the interactions seen so far.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from alignrec.aligner.content_space import ContentSpace
from alignrec.aligner.evaluate.splits import TRAIN, Split, split_random
from alignrec.aligner.train.graphs import Graph, bipartite, content_neighbours, graph
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.task import UserItemTask
from alignrec.aligner.train.training import build
from alignrec.aligner.trainer import Trainer, epoch_rng

SEED = 1
GIB = 1 << 30
CPU = torch.device("cpu")
FORMS = {"paper's form": TrainSettings.paper(device="cpu"), "default form": TrainSettings(device="cpu")}
Floats = NDArray[np.float32]


def memory(field: str) -> float:
    """GiB of this process as the kernel accounts for them: VmRSS is now, VmHWM the peak so far."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(field)).split()[1]) * 1024 / GIB


def random_split(users: int, items: int, interactions: int) -> Split:
    """Distinct pairs, each as likely as any other, cut as the paper does."""
    pairs = np.random.default_rng(SEED).choice(users * items, interactions, replace=False)
    user, item = np.divmod(pairs, items)
    return Split(users, items, user, item, split_random(user, (0.8, 0.1, 0.1), SEED))


def build_graphs(features: Floats, split: Split) -> tuple[Floats, sp.csr_array, Split, Graph]:
    """Centred features and both graphs, of the items that training touches."""
    warm = np.asarray(split.matrix(TRAIN).sum(axis=0)).ravel() > 0
    valid = np.ones(split.items, dtype=np.bool_)
    known = ContentSpace.of(features, valid)(features[warm], valid[warm])
    part = split.of_items(warm)
    neighbours = content_neighbours(known, FORMS["default form"].neighbours)
    return known, neighbours, part, graph(bipartite(part.matrix(TRAIN)))


def train_steps(
    known: Floats, neighbours: sp.csr_array, split: Split, settings: TrainSettings, steps: int
) -> tuple[float, float]:
    """Seconds of some training steps, and the share of an epoch's interactions that they saw."""
    model = build(known, neighbours, split.users, settings, SEED, CPU)
    objective = Objective(settings, split.matrix(TRAIN), model.features, CPU)
    trainer = Trainer(UserItemTask(model, objective, split, settings, SEED))
    model.train()
    seen = 0
    start = time.perf_counter()
    for batch in islice(objective.batches(epoch_rng(SEED, 0)), steps):
        trainer.step(batch)
        seen += len(batch.user)
    return time.perf_counter() - start, seen / objective.trainable.nnz


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, default=192_403)
    parser.add_argument("--items", type=int, default=63_001)
    parser.add_argument("--interactions", type=int, default=1_689_188)
    parser.add_argument("--dim", type=int, default=768, help="of the features")
    parser.add_argument("--steps", type=int, default=50)
    size = parser.parse_args(arguments)
    # The features are drawn last: they take more than drawing pairs did, so the peak starts at what is kept.
    split = random_split(size.users, size.items, size.interactions)
    features = np.random.default_rng(SEED).standard_normal((size.items, size.dim), dtype=np.float32)
    print(
        f"{size.users:,} users, {size.items:,} items, {size.interactions:,} interactions, "
        f"{size.dim} dimensions, {torch.get_num_threads()} threads"
    )
    before, start = memory("VmRSS"), time.perf_counter()
    known, neighbours, part, _ = build_graphs(features, split)
    spent, beyond = time.perf_counter() - start, memory("VmHWM") - before
    print(f"graphs: {spent:.1f} s, peak {beyond:.2f} GiB beyond features and data (below 1)", flush=True)
    for name, settings in FORMS.items():
        spent, share = train_steps(known, neighbours, part, settings, size.steps)
        print(
            f"{name}: {size.steps} steps {spent:.1f} s, an epoch {spent / share:.0f} s; "
            f"the process's peak so far {memory('VmHWM'):.2f} GiB (at most 8)",
            flush=True,
        )


if __name__ == "__main__":
    main()
