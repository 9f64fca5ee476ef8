"""Numbers of one protocol: each subject's mean, over seeds too, and our own against the others."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from alignrec.aligner.evaluate.bootstrap import intervals
from alignrec.aligner.evaluate.evaluation import Evaluation
from alignrec.core.metrics import MAIN_METRICS
from alignrec.core.results import Measurement


def compare(
    protocol: str,
    results: Mapping[str, Evaluation],
    seeds: Mapping[str, int],
    *,
    split: Literal["valid", "test"] = "test",
    share: float | None = None,
    metrics: Collection[str] = MAIN_METRICS,
    pairs: Iterable[tuple[str, str]] | None = None,
) -> list[Measurement]:
    """Every subject's numbers, then the paired differences between some of them.

    Args:
        protocol: how they were measured.
        results: the subjects' evaluations, all of the same users and cut-offs.
        seeds: of the subjects that were trained, the seed.
        split: the part that was evaluated.
        share: masked share of items, under the mask protocols; kept share of training interactions, under
            thinned histories.
        metrics: what is reported.
        pairs: of subject and what it is compared with; by default each trained one with each other.

    Returns:
        Measurements with 95% intervals over users; nothing where no user has a positive.
    """
    if pairs is None:
        pairs = [
            (name, other) for name in results if name in seeds for other in results if other not in seeds
        ]
    rivals: list[tuple[str, str | None]] = [(name, None) for name in results]
    rivals += pairs
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


def compare_seeds(
    protocol: str,
    results: Mapping[str, Mapping[int | None, Evaluation]],
    pairs: Iterable[tuple[str, str]],
    *,
    split: Literal["valid", "test"] = "test",
    metrics: Collection[str] = MAIN_METRICS,
    share: float | None = None,
) -> list[Measurement]:
    """`compare` for subjects that were trained more than once.

    A subject of several seeds has its mean over seeds, its standard deviation (of a sample), and its numbers
    seed by seed. A mean's interval, and a paired difference, are over users, each user's values averaged over
    the seeds first: they tell how sure a mean is for other users, and the deviation how far one training
    differs from another.

    Args:
        protocol: how they were measured.
        results: for each subject, by seed (None where nothing is trained), evaluations of the same users.
        pairs: of subject and what it is compared with.
        split: the part that was evaluated.
        metrics: what is reported.
        share: as in `compare`.

    Returns:
        Measurements; nothing where no user has a positive.
    """
    several = {name: by_seed for name, by_seed in results.items() if len(by_seed) > 1}
    only = {name: next(iter(by_seed)) for name, by_seed in results.items() if name not in several}
    seeds = {name: seed for name, seed in only.items() if seed is not None}
    means = {name: averaged(list(by_seed.values())) for name, by_seed in results.items()}
    records = [
        replace(m, aggregate="mean") if m.subject in several or m.against in several else m
        for m in compare(protocol, means, seeds, split=split, share=share, metrics=metrics, pairs=pairs)
    ]
    if not records:
        return []
    for seed in dict.fromkeys(seed for by_seed in several.values() for seed in by_seed):
        single = {name: by_seed[seed] for name, by_seed in several.items() if seed in by_seed}
        trained = {} if seed is None else dict.fromkeys(single, seed)
        records += compare(protocol, single, trained, split=split, share=share, metrics=metrics, pairs=())
    for name, by_seed in several.items():
        for metric, k in (key for key in means[name].values if key[0] in metrics):
            spread = float(np.std([found.mean(metric, k) for found in by_seed.values()], ddof=1))
            records.append(
                Measurement(protocol, name, metric, k, split, spread, aggregate="std", share=share)
            )
    return records


def averaged(found: Sequence[Evaluation]) -> Evaluation:
    """Each user's values, averaged over evaluations of the same users, at least one."""
    keys = found[0].values
    return Evaluation(found[0].users, {key: np.mean([f.values[key] for f in found], axis=0) for key in keys})
