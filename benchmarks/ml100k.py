"""AlignRec on the shared ml100k split, and on splits of our own: three seeds, their mean, and EASE.

    python benchmarks/ml100k.py ../shared/bench/ml100k > table.jsonl

The settings are the defaults, chosen on validation (`ml100k_search.json`). Test is evaluated as MMRec does:
validation positives stay in the ranking.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.bootstrap import interval
from alignrec.aligner.evaluate.evaluation import Evaluation, evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import Split, read_mmrec, split_random
from alignrec.aligner.landmarks.ease import tuned_ease
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import train

SEEDS, OWN_SPLITS = (1, 2, 3), (1, 2)
Values = dict[str, NDArray[np.float64]]
FORMS = {"softmax": TrainSettings(), "bpr": TrainSettings.paper()}


def row_of(name: str, loss: str, seed: int | str, found: Values, landmark: Evaluation) -> dict[str, object]:
    """What a line of the table says of Recall and NDCG, a value a user each."""
    row: dict[str, object] = {"split": name, "loss": loss, "seed": seed}
    for metric in ("recall", "ndcg"):
        gain = interval(found[metric], landmark.values[metric, 20])
        row |= {
            f"{metric}@20": round(float(found[metric].mean()), 4),
            f"EASE {metric}@20": round(landmark.mean(metric, 20), 4),
            f"{metric}@20 over EASE": [round(x, 4) for x in (gain.mean, gain.low, gain.high)],
        }
    return row


def judge(name: str, split: Split, features: np.ndarray, settings: TrainSettings) -> None:
    """Print a line for each seed, and one for their mean, user by user."""
    landmark = evaluate(tuned_ease(split), split)
    found: list[Values] = []
    for seed in SEEDS:
        done = train(features, np.ones(len(features), dtype=np.bool_), split, settings, seed)
        result = evaluate(dot_scorer(done.user, done.aligned), split)
        found.append({metric: result.values[metric, 20] for metric in ("recall", "ndcg")})
        known = {f"valid {metric}@20": round(done.validation[f"{metric}@20"], 4) for metric in found[-1]}
        row = row_of(name, settings.loss, seed, found[-1], landmark)
        print(json.dumps(row | {"epochs": len(done.fit.curves)} | known), flush=True)
    mean = {metric: np.mean([values[metric] for values in found], axis=0) for metric in found[0]}
    print(json.dumps(row_of(name, settings.loss, "mean", mean, landmark)), flush=True)


def main() -> None:
    folder = Path(sys.argv[1])
    features = np.load(folder / "mm_feat.npy", allow_pickle=False)
    with (folder / "ml100k.inter").open(encoding="utf-8") as lines:
        split = read_mmrec(lines)
    for settings in FORMS.values():
        judge("shared", split, features, settings)
    for number in OWN_SPLITS:
        own = replace(split, label=split_random(split.user, (0.8, 0.1, 0.1), number))
        judge(f"own {number}", own, features, FORMS["softmax"])


if __name__ == "__main__":
    main()
