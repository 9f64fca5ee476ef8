"""AlignRec on the shared ml100k split, mean of three seeds, and against EASE on splits of our own.

    python benchmarks/ml100k.py ../shared/bench/ml100k > table.json

The settings are the defaults, chosen on validation (`ml100k_search.json`). Test is evaluated as MMRec does:
validation positives stay in the ranking.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from alignrec.aligner.bootstrap import interval
from alignrec.aligner.evaluation import Evaluation, evaluate
from alignrec.aligner.fitting import dot_scorer
from alignrec.aligner.landmarks import tuned_ease
from alignrec.aligner.splits import Split, read_mmrec, split_random
from alignrec.aligner.train_settings import TrainSettings
from alignrec.aligner.training import train

SEEDS, OWN_SPLITS = (1, 2, 3), (1, 2)
FORMS = {"softmax": TrainSettings(), "bpr": TrainSettings.paper()}


def judge(
    name: str,
    split: Split,
    landmark: Evaluation,
    features: np.ndarray,
    settings: TrainSettings,
    seed: int,
) -> None:
    done = train(features, np.ones(len(features), dtype=np.bool_), split, settings, seed)
    found = evaluate(dot_scorer(done.user, done.aligned), split)
    row = {"split": name, "loss": settings.loss, "seed": seed, "epochs": len(done.fit.curves)}
    for metric in ("recall", "ndcg"):
        gain = interval(found.values[metric, 20], landmark.values[metric, 20])
        row |= {
            f"valid {metric}@20": round(done.fit.validation[f"{metric}@20"], 4),
            f"{metric}@10": round(found.mean(metric, 10), 4),
            f"{metric}@20": round(found.mean(metric, 20), 4),
            f"EASE {metric}@20": round(landmark.mean(metric, 20), 4),
            f"{metric}@20 over EASE": [round(x, 4) for x in (gain.mean, gain.low, gain.high)],
        }
    print(json.dumps(row), flush=True)


def main() -> None:
    folder = Path(sys.argv[1])
    features = np.load(folder / "mm_feat.npy", allow_pickle=False)
    with (folder / "ml100k.inter").open(encoding="utf-8") as lines:
        split = read_mmrec(lines)
    landmark = evaluate(tuned_ease(split), split)
    for settings in FORMS.values():
        for seed in SEEDS:
            judge("shared", split, landmark, features, settings, seed)
    for number in OWN_SPLITS:
        own = replace(split, label=split_random(split.user, (0.8, 0.1, 0.1), number))
        judge(f"own {number}", own, evaluate(tuned_ease(own), own), features, FORMS["softmax"], 1)


if __name__ == "__main__":
    main()
