"""What a trained run recommends, against landmarks on the same split: in all, of new and of rare items."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.comparison import compare
from alignrec.aligner.evaluation import evaluate
from alignrec.aligner.fitting import dot_scorer
from alignrec.aligner.landmarks import EASE_ITEMS, cooccurrence_cf, popularity, tuned_ease
from alignrec.aligner.measurement import Measurement, Protocol
from alignrec.aligner.metrics import METRICS
from alignrec.aligner.ranking import Scorer
from alignrec.aligner.splits import TRAIN, Split
from alignrec.aligner.train_settings import TrainSettings
from alignrec.aligner.trained_landmarks import collaborative
from alignrec.export.features import FeatureSet

from .config import Config
from .splits import CatalogueSplit

ALIGNED, LIGHTGCN = "aligned", "LightGCN"
TAIL = 0.2  # share of the training interactions that the long tail's items have, at most
Mask = NDArray[np.bool_]


def landmarks(made: CatalogueSplit, config: Config) -> dict[str, Scorer]:
    """The recommenders without content that a small catalogue has in seconds, by name."""
    split, history = made.split, made.split.matrix(TRAIN)
    found = {"popularity": popularity(history), "item-CF": cooccurrence_cf(history)}
    if split.items <= EASE_ITEMS:
        found["EASE"] = tuned_ease(split, made.candidates)
    own = config.train
    settings = TrainSettings.paper(uia_weight=0.0, device=own.device, epochs=own.epochs)
    found[LIGHTGCN] = collaborative(split, settings, config.seed, made.candidates)
    return found


def long_tail(split: Split) -> Mask:
    """The least popular items of training, together at most a `TAIL` of its interactions: bool `[items]`."""
    counts = np.bincount(split.item[split.label == TRAIN], minlength=split.items)
    order = np.argsort(counts, kind="stable")
    rare = np.zeros(split.items, dtype=np.bool_)
    rare[order] = np.cumsum(counts[order]) <= TAIL * counts.sum()
    return rare & (counts > 0)


def recommendation(
    made: CatalogueSplit, config: Config, aligned: FeatureSet, user: FeatureSet
) -> list[Measurement]:
    """All metrics on test of the trained vectors and of the landmarks, and the differences.

    Args:
        made: the run's split.
        config: the run.
        aligned: the set of that name, in the catalogue's order, with origins.
        user: the set of that name, in the split's order.

    Returns:
        Measurements of top-k, cold-start and long-tail; none of a protocol that has no positives.
    """
    scorers = {ALIGNED: dot_scorer(user.matrix, aligned.matrix), **landmarks(made, config)}
    cold = np.array(aligned.origin) == "content"
    parts: dict[Protocol, Mask] = {
        "top-k": made.candidates,
        "cold-start": cold & made.candidates,
        "long-tail": long_tail(made.split) & made.candidates,
    }
    seeds = dict.fromkeys((ALIGNED, LIGHTGCN), config.seed)
    records = []
    for protocol, kept in parts.items():
        split = _narrowed(made.split, kept)
        results = {
            name: evaluate(scorer, split, ks=config.evaluate.k, candidates=kept)
            for name, scorer in scorers.items()
        }
        records += compare(protocol, results, seeds, metrics=METRICS, own=(ALIGNED,))
    return records


def _narrowed(split: Split, kept: Mask) -> Split:
    """The training history, and of the other parts only what the kept items have."""
    rows = (split.label == TRAIN) | kept[split.item]
    return replace(split, user=split.user[rows], item=split.item[rows], label=split.label[rows])
