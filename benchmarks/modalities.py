"""Does mask-then-predict do the work? Items that lost their text, or image.

    python benchmarks/modalities.py --seeds 11 12 13
    python benchmarks/modalities.py --seeds 1 2 3 --config examples/ml100k.yaml

Prints Recall@20 on test, zero-shot and as item-CF with the whole catalogue, zero-shot with half of the texts
gone, and with half of the images gone: of the encoder trained in both directions, in one, not at all, and of
every simple baseline; and how far the first is above each, with a paired 95% interval over users. Without a
config, each seed draws a catalogue of the demo's, and the last lines tell in how many of them the first is
above the untrained encoder and every baseline, the interval included. With one, seeds are of losses and
pretraining, and a user's value is the mean over them.
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

from alignrec.aligner.evaluate.baselines import baselines, imputed, lose
from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.scorers import feature_cf, zero_shot
from alignrec.aligner.evaluate.splits import TEST, TRAIN
from alignrec.aligner.inputs import Inputs
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.aligner.pretrain.settings import PretrainSettings
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.demo.run import write_demo
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run

OURS = "both directions"
ONE_DIRECTION: dict[str, dict[str, object]] = {
    "image direction": {"predict": ("image",)},
    "text direction": {"predict": ("text",)},
}
TRAININGS: dict[str, dict[str, object]] = {OURS: {}, **ONE_DIRECTION, "untrained": {"epochs": 0}}
GONE = {"half of the texts gone": "text", "half of the images gone": "image"}
PROTOCOLS = {"zero-shot": zero_shot, "item-CF": feature_cf}
Values = NDArray[np.float64]
Found = dict[str, Values]  # by name of the features, a value a user


def encode(inputs: Inputs, settings: PretrainSettings, seed: int) -> NDArray[np.float32]:
    """The vectors of an encoder that is trained on these items."""
    return pretrain(inputs, settings, seed).encoder.encode(inputs)[0]


def recall(
    features: Mapping[str, NDArray[np.float32]], catalogue: CatalogueSplit, protocol: str = "zero-shot"
) -> Found:
    """Recall@20 on test."""
    history, found = catalogue.split.matrix(TRAIN), {}
    for name, matrix in features.items():
        scorer = PROTOCOLS[protocol](matrix, history)
        result = evaluate(scorer, catalogue.split, TEST, (20,))
        found[name] = result.values["recall", 20]
    return found


def show(title: str, found: Found) -> bool:
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


def measure(config: Config, seed: int, share: float) -> dict[str, Found]:
    """Recall of all features, by case."""
    run_folder = RunFolder(run(config, "split", console=Console(quiet=True)).folder)
    inputs, catalogue = run_folder.inputs(), run_folder.split()
    # With nothing gone there is next to nothing to predict: other trainings would be the same.
    whole = {OURS: encode(inputs, config.pretrain, seed), **baselines(inputs)}
    found = {f"whole, {protocol}": recall(whole, catalogue, protocol) for protocol in PROTOCOLS}
    for case, side in GONE.items():
        left = {**inputs, side: inputs[side].without(lose(inputs[side].valid, share, seed))}
        features = {
            name: encode(left, config.pretrain.model_copy(update=change), seed)
            for name, change in TRAININGS.items()
        }
        found[case] = recall({**features, **baselines(left), **imputed(left, seed)}, catalogue)
    return found


def over_demos(seeds: list[int], share: float, out: Path) -> None:
    """Each seed's catalogue for itself, and in how many the encoder is surely above."""
    tally: Counter[str] = Counter()
    for seed in seeds:
        config = load_config(write_demo(out / str(seed), seed, Console(quiet=True)))
        for case, found in measure(config, seed, share).items():
            tally[case] += show(f"seed {seed}, {case}", found)
    for case, count in tally.items():
        print(f"{case}: surely above the untrained and every baseline in {count} of {len(seeds)} seeds")


def over_seeds(config: Config, seeds: list[int], share: float) -> None:
    """One catalogue, the mean over seeds."""
    runs = [measure(config, seed, share) for seed in seeds]
    for case, first in runs[0].items():
        show(
            f"{config.name}, {case}", {name: np.mean([r[case][name] for r in runs], axis=0) for name in first}
        )


def main() -> None:
    """Run for the seeds asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1])
    parser.add_argument("--config", type=Path, help="measure this run's catalogue instead of the demo's")
    parser.add_argument("--share", type=float, default=0.5, help="share of the items that lose it")
    parser.add_argument("--out", type=Path, default=Path("demo-modalities"), help="where catalogues go")
    arguments = parser.parse_args()
    if arguments.config is None:
        over_demos(arguments.seeds, arguments.share, arguments.out)
    else:
        over_seeds(load_config(arguments.config), arguments.seeds, arguments.share)


if __name__ == "__main__":
    main()
