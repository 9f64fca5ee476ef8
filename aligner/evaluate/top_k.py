"""What a recommender recommends: of all items, of new and of rare ones, to users with few interactions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.evaluate.comparison import compare_seeds
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.aligner.evaluate.evaluator import PARTS, Evaluator, Part
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.core.metrics import MAIN_METRICS, METRICS
from alignrec.core.protocols import COLD_START, FEW, FEW_INTERACTIONS, LONG_TAIL, TOP_K
from alignrec.core.results import Measurement
from alignrec.core.vocabulary import ALIGNED, CONTROL, MULTIMODAL, is_own

TAIL = 0.2  # share of the training interactions that the long tail's items have, at most
Mask = NDArray[np.bool_]
# All that one recommender reached: an evaluation for each protocol and part of the split.
Evaluations = Mapping[tuple[str, Part], Evaluation]


def evaluate_all(scorer: Scorer, evaluator: Evaluator) -> Evaluations:
    """A recommender under every protocol, on validation and on test.

    A protocol whose items all fit into the longest list is left out: whoever ranks them, all are found.
    """
    left = left_out(evaluator)
    results: dict[tuple[str, Part], Evaluation] = {}
    for protocol, items in ranked_items(evaluator.split).items():
        if protocol in left:
            continue
        narrowed = evaluator.among(items)
        for part in PARTS:
            results[protocol, part] = narrowed.evaluate(scorer, part)
    return {**results, **of_few_interactions(results, evaluator.split)}


def of_few_interactions(results: Evaluations, split: Split) -> Evaluations:
    """What was reached under top-k, of the users with few training interactions; nothing without any."""
    few = np.bincount(split.user[split.label == TRAIN], minlength=split.users) < FEW
    found = {part: one.of_users(few) for (protocol, part), one in results.items() if protocol == TOP_K}
    return {(FEW_INTERACTIONS, part): one for part, one in found.items() if len(one.users)}


def evaluate_as(protocol: str, scorer: Scorer, evaluator: Evaluator) -> Evaluations:
    """A recommender that has learned from less, by top-k under the protocol that says from what."""
    return {(protocol, part): evaluator.evaluate(scorer, part) for part in PARTS}


def renamed(reached: Evaluations, protocol: str) -> Evaluations:
    """What was reached under top-k, as another protocol's numbers."""
    return {(protocol, part): reached[TOP_K, part] for part in PARTS}


def left_out(evaluator: Evaluator) -> dict[str, int]:
    """The protocols whose items all fit into the longest list, and how many items these are."""
    counts = {protocol: int(items.sum()) for protocol, items in ranked_items(evaluator.split).items()}
    return {name: count for name, count in counts.items() if name != TOP_K and count <= max(evaluator.ks)}


def measurements(
    results: Mapping[str, Mapping[int | None, Evaluations]],
    content_pairs: Iterable[tuple[str, str]] = (),
    share: float | None = None,
) -> list[Measurement]:
    """The numbers of all recommenders, and how far `aligned` and its control are above others.

    Args:
        results: by subject and seed; None where nothing is trained. What was not measured under every
            protocol and on every part of the split, as lists from elsewhere, is left out where it was not.
        content_pairs: landmarks with content, and what they are without it.
        share: of the items that lost a modality, or of the training interactions that were kept, under the
            protocols that have one.

    Returns:
        Measurements of every protocol that `aligned` was measured under, or without it the first subject:
        all metrics and the differences on test, recall and NDCG on validation; none of a protocol that has
        no positives.
    """
    records = []
    whole = results.get(ALIGNED) or next(iter(results.values()))
    for protocol, part in next(iter(whole.values())):
        evaluations = {
            name: {seed: reached[protocol, part] for seed, reached in seeds.items()}
            for name, seeds in results.items()
            if all((protocol, part) in list(reached) for reached in seeds.values())
        }
        pairs = pairs_of(evaluations, content_pairs) if part == "test" else []
        metrics = tuple(METRICS) if part == "test" else MAIN_METRICS
        records += compare_seeds(protocol, evaluations, pairs, split=part, metrics=metrics, share=share)
    return records


def pairs_of(subjects: Iterable[str], content_pairs: Iterable[tuple[str, str]] = ()) -> list[tuple[str, str]]:
    """Ours against everything, and others with content against what they are without.

    Ours is `aligned`, and `multimodal` where nothing was trained on it. The control stands against other
    systems too: that is what the objective is worth.
    """
    names = list(subjects)
    own: str | None = next((name for name in (ALIGNED, MULTIMODAL) if name in names), None)
    pairs: list[tuple[str, str]] = [(own, name) for name in names if own is not None and name != own]
    if CONTROL in names:
        pairs += [(CONTROL, name) for name in names if not is_own(name)]
    return pairs + [pair for pair in content_pairs if set(pair) <= set(names)]


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
