"""Is training quicker, and as good, with steps that follow the catalogue's size?

    python benchmarks/step_size.py ../shared/bench/ml100k --features ../shared/bench/ml100k/mm_feat.npy

The folder holds one interaction file `*.inter` with the split in `x_label`. Trains the default form to its
early stop, once in steps of 4,096 interactions and once in steps of the default size, and prints for each how
long that took, then the paired difference in Recall@20, on validation and on test.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.evaluator import Evaluator, Part
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TRAIN, Split, read_mmrec
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import train

PARTS: tuple[Part, ...] = ("valid", "test")
METRIC = ("recall", 20)


def trained(
    split: Split, features: NDArray[np.float32], settings: TrainSettings, seed: int
) -> tuple[float, dict[Part, Evaluation]]:
    """CPU seconds of a training, and what it reaches."""
    start = time.process_time()
    result = train(
        features,
        features.any(axis=1),
        split,
        settings,
        seed,
        advance=lambda epoch, last: print(f"  epoch {epoch}: {last['recall@20']:.4f}", flush=True),
    )
    spent = time.process_time() - start
    size, epochs = settings.step_size(int((split.label == TRAIN).sum())), len(result.fit.curves)
    print(
        f"steps of {size:,}: {epochs} epochs, {spent:.0f} CPU seconds, {spent / epochs:.1f} an epoch",
        flush=True,
    )
    evaluator, scorer = Evaluator(split), dot_scorer(result.user, result.aligned)
    return spent, {part: evaluator.evaluate(scorer, part) for part in PARTS}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="in MMRec's format")
    parser.add_argument("--features", type=Path, required=True, help="a row an item, .npy")
    parser.add_argument(
        "--members", type=int, default=8, help="of 64 dimensions each; they learn independently"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    (interactions,) = given.folder.glob("*.inter")
    with interactions.open(encoding="utf-8") as lines:
        split = read_mmrec(lines)
    features = np.load(given.features, allow_pickle=False).astype(np.float32)
    settings = TrainSettings(members=given.members, dim=64 * given.members, device="cpu")
    before, fixed = trained(split, features, settings.model_copy(update={"batch_size": 4096}), given.seed)
    after, following = trained(split, features, settings, given.seed)
    print(f"ratio of the time: {after / before:.2f}")
    for part in PARTS:
        ours, theirs = following[part], fixed[part]
        paired = interval(ours.values[METRIC], theirs.values[METRIC])
        print(
            f"{part}: {ours.mean(*METRIC):.4f} and {theirs.mean(*METRIC):.4f}, "
            f"{paired.mean:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}]"
        )


if __name__ == "__main__":
    main()
