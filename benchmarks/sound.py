"""Does a third modality help? Zero-shot with the sounds of the demo's products, and without them.

    python benchmarks/sound.py --seeds 11 12 13
    python benchmarks/sound.py --seeds 11 12 13 --vector linear

For each seed a catalogue with sound is drawn, its models read it, and Recall@20 on test is measured zero-shot
of the multimodal vector of all three modalities, and of pictures and texts alone: the same users, items and
interactions. Prints both and their paired difference with a 95% interval over users. `--epochs 0` leaves the
encoder untrained, which changes only what it fills in for the few items that lack a modality.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.scorers import zero_shot
from alignrec.aligner.evaluate.splits import TEST, TRAIN
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.demo.faults import SOUND
from alignrec.pipeline.demo.run import write_demo
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run

Values = NDArray[np.float64]
QUIET = Console(quiet=True)


def recall(matrix: NDArray[np.float32], catalogue: CatalogueSplit) -> Values:
    """Recall@20 on test of each user, zero-shot."""
    scorer = zero_shot(matrix, catalogue.split.matrix(TRAIN))
    return evaluate(scorer, catalogue.split, TEST, (20,)).values["recall", 20]


def ours(inputs: Inputs, catalogue: CatalogueSplit, config: Config) -> Values:
    """Of the multimodal vector."""
    vectors = pretrain(inputs, config.pretrain, config.seed).encoder.encode(inputs)[0]
    return recall(vectors, catalogue)


def measure(seed: int, out: Path, changes: Mapping[str, object]) -> tuple[Values, Values]:
    """Print a seed's lines; returns the users' values with sound and without."""
    config = load_config(write_demo(out / str(seed), seed, QUIET, sound=True))
    folder = RunFolder(run(config, "split", console=QUIET).folder)
    inputs, catalogue = folder.inputs(), folder.split()
    config = config.model_copy(update={"pretrain": config.pretrain.model_copy(update=dict(changes))})
    silent = {name: source for name, source in inputs.items() if name != SOUND}
    heard, unheard = (ours(some, catalogue, config) for some in (inputs, silent))
    gain = interval(heard, unheard)
    print(
        f"seed {seed}: with sound {heard.mean():.4f}, without {unheard.mean():.4f}, "
        f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]",
        flush=True,
    )
    return heard, unheard


def main() -> None:
    """Run for the seeds asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--out", type=Path, default=Path("demo-sound"), help="where catalogues go")
    parser.add_argument("--vector", help="pretrain.vector, in place of the demo's")
    parser.add_argument("--epochs", type=int, help="pretrain.epochs, in place of the demo's")
    arguments = parser.parse_args()
    chosen = {"vector": arguments.vector, "epochs": arguments.epochs}
    changes = {key: value for key, value in chosen.items() if value is not None}
    pairs = [measure(seed, arguments.out, changes) for seed in arguments.seeds]
    heard, unheard = (np.concatenate(side) for side in zip(*pairs, strict=True))
    gain = interval(heard, unheard)
    print(f"all users of all seeds: {gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")


if __name__ == "__main__":
    main()
