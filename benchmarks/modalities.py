"""Does mask-then-predict do the work? Items that lost their text, or image, on the demo's catalogue.

    python benchmarks/modalities.py --seeds 11 12 13

For each seed draws the demo's catalogue and prints zero-shot Recall@20 with the whole catalogue, with half of
the texts gone, and with half of the images gone: of the encoder trained in both directions, in one, not at
all, and of every simple baseline; and how far the first is above each, with a paired 95% interval over users.
The last lines tell in how many of the seeds it is above the untrained encoder and every baseline, the
interval included.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich import box
from rich.console import Console as Rich
from rich.table import Table

from alignrec.aligner.baselines import baselines, imputed, lose
from alignrec.aligner.bootstrap import interval
from alignrec.aligner.evaluation import evaluate
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain_settings import PretrainSettings
from alignrec.aligner.pretraining import pretrain
from alignrec.aligner.protocols import zero_shot
from alignrec.aligner.splits import TEST, TRAIN
from alignrec.pipeline.config import Config
from alignrec.pipeline.config_file import load_config
from alignrec.pipeline.console import Console
from alignrec.pipeline.demo_run import write_demo
from alignrec.pipeline.runner import run
from alignrec.pipeline.splits import CatalogueSplit, make_split
from alignrec.pipeline.token_shards import read_inputs

OURS = "both directions"
ONE_DIRECTION: dict[str, dict[str, object]] = {
    "image direction": {"predict": ("image",)},
    "text direction": {"predict": ("text",)},
}
TRAININGS: dict[str, dict[str, object]] = {OURS: {}, **ONE_DIRECTION, "untrained": {"epochs": 0}}
CASES = {"whole": None, "half of the texts gone": "text", "half of the images gone": "image"}
Values = NDArray[np.float64]


def encode(inputs: Inputs, settings: PretrainSettings, seed: int) -> NDArray[np.float32]:
    """The vectors of an encoder that is trained on these items."""
    return pretrain(inputs, settings, seed).encoder.encode(inputs)[0]


def recall(features: Mapping[str, NDArray[np.float32]], made: CatalogueSplit) -> dict[str, Values]:
    """Zero-shot Recall@20 on test, a value a user."""
    history, found = made.split.matrix(TRAIN), {}
    for name, matrix in features.items():
        scorer = zero_shot(matrix, history)
        found[name] = evaluate(scorer, made.split, TEST, (20,), candidates=made.candidates).values[
            "recall", 20
        ]
    return found


def show(title: str, found: Mapping[str, Values]) -> bool:
    """Print a table, best first; returns whether ours is surely above all but other trainings."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("", "Recall@20", f"{OURS} over it"):
        table.add_column(heading, justify="right" if heading else "left", no_wrap=True)
    sure = True
    for name, values in sorted(found.items(), key=lambda pair: -pair[1].mean()):
        if name == OURS:
            table.add_row(name, f"{values.mean():.4f}", "")
            continue
        gain = interval(found[OURS], values)
        sure &= gain.low > 0 or name in ONE_DIRECTION
        table.add_row(name, f"{values.mean():.4f}", f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]")
    Rich(width=100).print(table)
    return bool(sure)


def judge(config: Config, share: float) -> dict[str, bool]:
    """Print the tables of one catalogue; for each case, whether ours is surely above the baselines."""
    extracted = run(config, "extract", console=Console(quiet=True)).folder / "extract"
    inputs, made, seed = read_inputs(extracted), make_split(config, extracted), config.seed
    sure = {}
    for case, side in CASES.items():
        left = dict(inputs)
        if side is not None:
            left[side] = inputs[side].without(lose(inputs[side].valid, share, seed))
        features = {
            name: encode(left, config.pretrain.model_copy(update=change), seed)
            for name, change in TRAININGS.items()
            if side is not None or name == OURS  # with nothing gone there is next to nothing to predict
        }
        features |= {**baselines(left), **imputed(left, seed)}
        sure[case] = show(f"seed {seed}, {case}", recall(features, made))
    return sure


def main() -> None:
    """Run for the seeds asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--share", type=float, default=0.5, help="share of the items that lose it")
    parser.add_argument("--out", type=Path, default=Path("demo-modalities"), help="where catalogues go")
    arguments = parser.parse_args()
    tally: Counter[str] = Counter()
    for seed in arguments.seeds:
        config = load_config(write_demo(arguments.out / str(seed), seed, Console(quiet=True)))
        tally.update({case: int(sure) for case, sure in judge(config, arguments.share).items()})
    for case in CASES:
        above = f"{tally[case]} of {len(arguments.seeds)} seeds"
        print(f"{case}: surely above the untrained and every baseline in {above}")


if __name__ == "__main__":
    main()
