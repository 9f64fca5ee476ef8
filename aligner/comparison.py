"""Numbers of one protocol: each subject's mean with its interval, and our own against the others."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

import numpy as np

from alignrec.aligner.bootstrap import intervals
from alignrec.aligner.evaluation import Evaluation
from alignrec.aligner.measurement import Measurement, Protocol

METRICS = ("recall", "ndcg")


def compare(
    protocol: Protocol,
    results: Mapping[str, Evaluation],
    seeds: Mapping[str, int],
    *,
    split: Literal["valid", "test"] = "test",
    share: float | None = None,
    metrics: Collection[str] = METRICS,
    own: Collection[str] | None = None,
) -> list[Measurement]:
    """Every subject's numbers, then the paired differences of our own subjects from the others.

    Args:
        protocol: how they were measured.
        results: the subjects' evaluations, all of the same users and cut-offs.
        seeds: of the subjects that were trained, the seed.
        split: the part that was evaluated.
        share: masked share of items, under the mask protocols.
        metrics: what is reported.
        own: the subjects that are compared with all others; by default those that were trained.

    Returns:
        Measurements with 95% intervals over users; nothing where no user has a positive.
    """
    own = seeds if own is None else own
    rivals: list[tuple[str, str | None]] = [(name, None) for name in results]
    rivals += [(name, other) for name in results if name in own for other in results if other not in own]
    keys = [key for result in results.values() for key in result.values if key[0] in metrics]
    asked = [(subject, against, *key) for subject, against in rivals for key in dict.fromkeys(keys)]
    columns = [
        results[subject].values[metric, k] - (results[against].values[metric, k] if against else 0.0)
        for subject, against, metric, k in asked
    ]
    if not columns or not len(columns[0]):
        return []
    return [
        Measurement(
            protocol=protocol,
            subject=subject,
            metric=metric,
            k=k,
            split=split,
            value=found.mean,
            low=found.low,
            high=found.high,
            against=against,
            seed=seeds.get(subject),
            share=share,
        )
        for (subject, against, metric, k), found in zip(asked, intervals(np.stack(columns, 1)), strict=True)
    ]
