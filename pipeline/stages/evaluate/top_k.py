"""What a trained run recommends, against landmarks on the same split: in all, of new and of rare items."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.comparison import compare_seeds
from alignrec.aligner.evaluate.evaluation import Evaluation, evaluate
from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.evaluate.splits import TEST, TRAIN, VALID, Split
from alignrec.aligner.landmarks.ease import MAX_ITEMS, tuned_ease
from alignrec.aligner.landmarks.item_cf import cooccurrence_cf
from alignrec.aligner.landmarks.popularity import popularity
from alignrec.aligner.train.collaborative import collaborative
from alignrec.core.features import FeatureSet
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, COLD_START, LONG_TAIL, MAIN_METRICS, METRICS, TOP_K
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.stages.evaluate.landmark_settings import landmark_settings

LIGHTGCN = "LightGCN"
TAIL = 0.2  # share of the training interactions that the long tail's items have, at most
Mask = NDArray[np.bool_]
Part = Literal["valid", "test"]
# All that one recommender got: an evaluation for each protocol and part of the split.
Judged = Mapping[tuple[str, Part], Evaluation]
PARTS: dict[Part, int] = {"valid": VALID, "test": TEST}


def recommendation(
    made: CatalogueSplit, config: Config, aligned: FeatureSet, user: FeatureSet
) -> list[Measurement]:
    """The run's own vectors against the landmarks that take seconds, one seed.

    Args:
        made: the run's split.
        config: the run.
        aligned: the set of that name, in the catalogue's order.
        user: the set of that name, in the split's order.

    Returns:
        As `measurements`.
    """
    ks, seed, split = config.evaluate.k, config.seed, made.split
    lightgcn = collaborative(split, landmark_settings(config), seed)
    return measurements(
        {
            ALIGNED: {seed: judged(dot_scorer(user.matrix, aligned.matrix), made, ks)},
            **{name: {None: judged(fit(), made, ks)} for name, fit in untrained_landmarks(made).items()},
            LIGHTGCN: {seed: judged(lightgcn, made, ks)},
        }
    )


def untrained_landmarks(made: CatalogueSplit) -> dict[str, Callable[[], Scorer]]:
    """Recommenders without content that need no training, by name; each is worked out when called."""
    split, history = made.split, made.split.matrix(TRAIN)
    found: dict[str, Callable[[], Scorer]] = {
        "popularity": lambda: popularity(history),
        "item-CF": lambda: cooccurrence_cf(history),
    }
    if split.items <= MAX_ITEMS:
        found["EASE"] = lambda: tuned_ease(split)
    return found


def judged(scorer: Scorer, made: CatalogueSplit, ks: tuple[int, ...]) -> Judged:
    """A recommender under every protocol, on validation and on test."""
    found: dict[tuple[str, Part], Evaluation] = {}
    for protocol, kept in ranked_items(made).items():
        split = _narrowed(made.split, kept)
        for name, part in PARTS.items():
            found[protocol, name] = evaluate(scorer, split, part, ks)
    return found


def measurements(found: Mapping[str, Mapping[int | None, Judged]]) -> list[Measurement]:
    """The numbers of all recommenders, and how far `aligned` is above each of the others.

    Args:
        found: by subject and seed.

    Returns:
        Measurements of top-k, cold-start and long-tail: all metrics and the differences on test, recall and
        NDCG on validation; none of a protocol that has no positives.
    """
    records = []
    for protocol, part in next(iter(found[ALIGNED].values())):
        results = {
            name: {seed: of[protocol, part] for seed, of in seeds.items()} for name, seeds in found.items()
        }
        own, metrics = ((ALIGNED,), tuple(METRICS)) if part == "test" else ((), MAIN_METRICS)
        records += compare_seeds(protocol, results, own, split=part, metrics=metrics)
    return records


def ranked_items(made: CatalogueSplit) -> dict[str, Mask]:
    """The items that each protocol recommends, bool `[items]`."""
    cold = ~np.asarray(made.split.matrix(TRAIN).sum(axis=0), dtype=np.bool_).ravel()
    return {
        TOP_K: made.split.recommended,
        COLD_START: cold & made.split.recommended,
        LONG_TAIL: long_tail(made.split) & made.split.recommended,
    }


def long_tail(split: Split) -> Mask:
    """The least popular items of training, together at most a `TAIL` of its interactions: bool `[items]`."""
    counts = np.bincount(split.item[split.label == TRAIN], minlength=split.items)
    order = np.argsort(counts, kind="stable")
    rare = np.zeros(split.items, dtype=np.bool_)
    rare[order] = np.cumsum(counts[order]) <= TAIL * counts.sum()
    return rare & (counts > 0)


def _narrowed(split: Split, kept: Mask) -> Split:
    """The split in which only the kept items are recommended, and positives of other items do not count."""
    rows = (split.label == TRAIN) | kept[split.item]
    return replace(
        split, user=split.user[rows], item=split.item[rows], label=split.label[rows], candidates=kept
    )
