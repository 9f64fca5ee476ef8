"""What do features add to a two-tower and a ranker of one's own, and how much would a leak flatter them?

    python benchmarks/two_tower.py examples/ml100k.yaml -o train.members=1 -o train.dim=64

Runs the config up to training, cut by time whatever its split says, and trains the models of
examples/use-in-your-recommender.ipynb, whose cells are run as they are: on IDs alone, and beside them with
each set of the run. The rows of the leak have the sets of `--all-interactions`, which learned from the orders
of test too: what they gain is what somebody measures who takes them for features, and is not there when the
model serves. Prints Recall@20 and its paired difference over users, as docs/use-in-your-recommender.md has
them. Validation chooses among what is no leak; test has no say.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier

from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import ALIGNED, CONTENT, MULTIMODAL
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.run_folder import RETRAIN, RunFolder
from alignrec.pipeline.runner.split_log import interactions_of
from alignrec.pipeline.stages.chain import run

NOTEBOOK = Path(__file__).resolve().parents[1] / "examples" / "use-in-your-recommender.ipynb"
CELLS = ("measure", "two-tower", "ranker")
ALONE, VALID, TEST = "none", "valid", "test"
LEAKS = {f"leak: {name} of all orders": name for name in (CONTENT, ALIGNED)}
Values = NDArray[np.float32]


def by_time(config: Config, out: Path | None) -> Config:
    """The config cut by time, with a set that has learned from all interactions beside the others."""
    split = {"method": "temporal", "ratios": config.split.ratios, "k_core": config.split.k_core}
    settings = config.model_dump(exclude_unset=True) | {"split": split}
    settings["export"] = {**settings.get("export", {}), "all_interactions": True}
    return Config.model_validate(settings if out is None else settings | {"out": out})


def sets_of(run_folder: RunFolder, modalities: Sequence[str]) -> dict[str, FeatureSet]:
    """What is put beside the ID, rows of length 1; the leaks last."""
    found = {name: run_folder.features(name) for name in (*modalities, MULTIMODAL, CONTENT, ALIGNED)}
    leaks = {leak: run_folder.retrained(name) for leak, name in LEAKS.items()}
    return {name: features.normalized() for name, features in (found | leaks).items()}


def models(run_folder: RunFolder, sets: Mapping[str, FeatureSet]) -> dict[str, Any]:
    """The names that the notebook's cells define, over a run's interactions."""
    log = interactions_of(run_folder)
    frame = pd.DataFrame({"user_id": log.users, "item_id": log.items})
    parts = {name: frame[log.label == label] for label, name in enumerate(("train", VALID, TEST))}
    items = list(run_folder.items())
    names: dict[str, Any] = {
        "np": np,
        "pd": pd,
        "torch": torch,
        "HistGradientBoostingClassifier": HistGradientBoostingClassifier,
        "parts": parts,
        "items": items,
        "users": sorted(parts["train"]["user_id"].unique()),
        "features": {name: torch.from_numpy(one.align_to(items)[0]) for name, one in sets.items()},
    }
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    for tag in CELLS:
        (cell,) = (cell for cell in cells if tag in cell["metadata"].get("tags", ()))
        exec(compile("".join(cell["source"]), tag, "exec"), names)
    return names


def recalls(names: Mapping[str, Any], scores: Sequence[torch.Tensor], part: str) -> Values:
    """Recall@20 of each user, the mean of several trainings."""
    train, valid = names["train"], names["valid"]
    known = train if part == VALID else torch.maximum(train, valid)
    found: Values = np.mean([names["recalls"](one, names[part], known) for one in scores], axis=0)
    return found


def two_tower(names: Mapping[str, Any], name: str, seeds: int) -> list[torch.Tensor]:
    """The scores of a two-tower with a set beside the ID, under each seed."""
    content = names["features"].get(name)
    return [names["fit"](content, seed=seed) for seed in range(seeds)]


def ranker(names: Mapping[str, Any], name: str) -> list[torch.Tensor]:
    """The scores of a ranker with a set beside popularity and item-CF."""
    return [names["rank"]([name] if name in names["features"] else [])]


def show(
    names: Mapping[str, Any], scores_of: Callable[[str], list[torch.Tensor]], parts: Sequence[str]
) -> dict[str, float]:
    """Print a row a set, ending in the gain on test; returns the means on the first of the parts."""
    print(f"\n| beside the ID | {' | '.join(parts)} | over {ALONE} |\n|{' --- |' * (len(parts) + 2)}")
    alone: Values | None = None
    first: dict[str, float] = {}
    for name in (ALONE, *names["features"]):
        scores = scores_of(name)
        reached = {part: recalls(names, scores, part) for part in parts}
        alone = reached[TEST] if alone is None else alone
        gain = "" if name == ALONE else names["compare"](reached[TEST], alone)
        print(
            "|", " | ".join([name, *(f"{one.mean():.4f}" for one in reached.values()), gain]), "|", flush=True
        )
        first[name] = float(reached[parts[0]].mean())
    return first


def main(words: Sequence[str] | None = None) -> None:
    """Print both tables for a config."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("-o", dest="overrides", action="append", default=[], metavar="K=V")
    parser.add_argument("--out", type=Path, help="the run folder, in place of the config's")
    parser.add_argument("--seeds", type=int, default=3, help="of the two-tower; a user's mean is taken")
    arguments = parser.parse_args(words)
    config = by_time(load_config(arguments.config, arguments.overrides), arguments.out)
    folder = RunFolder(run(config, RETRAIN).folder)
    names = models(folder, sets_of(folder, config.modalities))
    measured = [int((names[part].sum(1) > 0).sum()) for part in (VALID, TEST)]
    print(f"two-tower, {arguments.seeds} seeds; {measured[0]} users on validation, {measured[1]} on test")
    valid = show(names, partial(two_tower, names, seeds=arguments.seeds), (VALID, TEST))
    print(f"validation chooses: {max((name for name in valid if name not in LEAKS), key=valid.__getitem__)}")
    print("\nranker, which learns on validation")
    show(names, partial(ranker, names), (TEST,))


if __name__ == "__main__":
    main()
