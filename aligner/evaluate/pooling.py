"""Several random splits of one log, taken together: how sure is a number when chance cuts again?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

import numpy as np

from alignrec.aligner.evaluate.comparison import averaged, compare
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.core.metrics import MAIN_METRICS, METRICS
from alignrec.core.results import Measurement

# What one subject reached on one split: an evaluation for each seed, all of the same users.
Seeds = Sequence[Evaluation]


def compare_splits(
    protocol: str,
    results: Mapping[str, Sequence[Seeds]],
    pairs: Iterable[tuple[str, str]],
    *,
    split: Literal["valid", "test"] = "test",
    share: float | None = None,
) -> list[Measurement]:
    """Every subject's numbers over all splits, then the paired differences between some of them.

    A user's value is the mean over seeds, then over the splits in which the user has something to find; the
    value and its interval are over users. Splits drawn again from one log share most interactions, so the
    interval says how sure a number is for other users of this catalogue, and no more.

    Args:
        protocol: how they were measured.
        results: for each subject, split by split in the same order, its evaluations; all subjects have the
            same users on the same split.
        pairs: of subject and what it is compared with.
        split: the part that was evaluated.
        share: as in `compare`.

    Returns:
        Measurements: all metrics on test, recall and NDCG on validation; for each subject the standard
        deviation of its means over splits and seeds, where it has several; nothing where no user has a
        positive.
    """
    metrics = tuple(METRICS) if split == "test" else MAIN_METRICS
    pooled = {name: average_users([averaged(seeds) for seeds in splits]) for name, splits in results.items()}
    records = compare(protocol, pooled, {}, split=split, share=share, metrics=metrics, pairs=pairs)
    if not records:
        return []
    for name, splits in results.items():
        found = [evaluation for seeds in splits for evaluation in seeds if len(evaluation.users)]
        for metric, k in (key for key in pooled[name].values if key[0] in metrics and len(found) > 1):
            spread = float(np.std([evaluation.mean(metric, k) for evaluation in found], ddof=1))
            records.append(
                Measurement(protocol, name, metric, k, split, spread, aggregate="std", share=share)
            )
    return records


def average_users(found: Sequence[Evaluation]) -> Evaluation:
    """Each user's values, averaged over the evaluations that have the user; their users may differ."""
    users, place = np.unique(np.concatenate([one.users for one in found]), return_inverse=True)
    times = np.bincount(place, minlength=len(users))
    sums = {
        key: np.bincount(place, np.concatenate([one.values[key] for one in found]), minlength=len(users))
        for key in found[0].values
    }
    return Evaluation(users, {key: total / times for key, total in sums.items()})
