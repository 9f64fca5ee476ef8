"""What a recommender recommends after training: of all items, of new ones and of rare ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.comparison import compare_seeds
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.evaluator import PARTS, Evaluator, Part
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import (
    ALIGNED,
    COLD_START,
    CONTROL,
    LONG_TAIL,
    MAIN_METRICS,
    METRICS,
    TOP_K,
    is_own,
)

TAIL = 0.2  # share of the training interactions that the long tail's items have, at most
Mask = NDArray[np.bool_]
# All that one recommender reached: an evaluation for each protocol and part of the split.
Evaluations = Mapping[tuple[str, Part], Evaluation]


def evaluate_all(scorer: Scorer, evaluator: Evaluator) -> Evaluations:
    """A recommender under every protocol, on validation and on test.

    A protocol whose items all fit into the longest list is left out: whoever ranks them, all are found.
    """
    results: dict[tuple[str, Part], Evaluation] = {}
    for protocol, items in ranked_items(evaluator.split).items():
        if protocol != TOP_K and int(items.sum()) <= max(evaluator.ks):
            continue
        narrowed = evaluator.among(items)
        for part in PARTS:
            results[protocol, part] = narrowed.evaluate(scorer, part)
    return results


def measurements(results: Mapping[str, Mapping[int | None, Evaluations]]) -> list[Measurement]:
    """The numbers of all recommenders, and how far `aligned` and its control are above others.

    Args:
        results: by subject and seed; None where nothing is trained. What was not measured under every
            protocol and on every part of the split, as lists from elsewhere, is left out where it was not.

    Returns:
        Measurements of top-k, cold-start and long-tail: all metrics and the differences on test, recall and
        NDCG on validation; none of a protocol that has no positives.
    """
    records = []
    for protocol, part in next(iter(results[ALIGNED].values())):
        evaluations = {
            name: {seed: reached[protocol, part] for seed, reached in seeds.items()}
            for name, seeds in results.items()
            if all((protocol, part) in list(reached) for reached in seeds.values())
        }
        pairs, metrics = (pairs_of(evaluations), tuple(METRICS)) if part == "test" else ([], MAIN_METRICS)
        records += compare_seeds(protocol, evaluations, pairs, split=part, metrics=metrics)
    return records


def pairs_of(subjects: Iterable[str]) -> list[tuple[str, str]]:
    """Ours against everything, and the control against other systems: what the objective is worth."""
    others = [name for name in subjects if name != ALIGNED]
    pairs = [(ALIGNED, name) for name in others]
    if CONTROL in others:
        pairs += [(CONTROL, name) for name in others if not is_own(name)]
    return pairs


def ranked_items(split: Split) -> dict[str, Mask]:
    """The items that each protocol recommends, bool `[items]`."""
    cold = ~np.asarray(split.matrix(TRAIN).sum(axis=0), dtype=np.bool_).ravel()
    return {
        TOP_K: split.recommended,
        COLD_START: cold & split.recommended,
        LONG_TAIL: long_tail(split) & split.recommended,
    }


def long_tail(split: Split) -> Mask:
    """The least popular items of training, together at most a `TAIL` of its interactions: bool `[items]`."""
    counts = np.bincount(split.item[split.label == TRAIN], minlength=split.items)
    order = np.argsort(counts, kind="stable")
    rare = np.zeros(split.items, dtype=np.bool_)
    rare[order] = np.cumsum(counts[order]) <= TAIL * counts.sum()
    return rare & (counts > 0)
