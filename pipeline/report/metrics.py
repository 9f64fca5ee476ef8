"""The evaluation's numbers, and the estimates and comparisons that a reader wants from them."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from alignrec.core.results import Measurement
from alignrec.core.vocabulary import OWN_SETS
from alignrec.pipeline.errors import RunFolderError


class Metrics(BaseModel):
    """The whole of `evaluate/metrics.json`."""

    model_config = ConfigDict(frozen=True)

    definitions: dict[str, object] = {}
    records: tuple[Measurement, ...] = ()


@dataclass(frozen=True)
class Estimate:
    """One quantity, its seeds taken together.

    Attributes:
        share: the masked share, for the masking protocols.
        value: the mean over seeds, or the only value.
        low, high: bounds of its interval, if it has one.
        deviation: standard deviation over seeds, if there were several.
    """

    protocol: str
    subject: str
    against: str | None
    metric: str
    k: int
    split: str
    share: float | None
    value: float
    low: float | None
    high: float | None
    deviation: float | None


def read_metrics(path: Path) -> Metrics:
    """The evaluation's numbers; none when it has not run.

    Raises:
        RunFolderError: the file is not what an evaluation writes.
    """
    if not path.is_file():
        return Metrics()
    try:
        return Metrics.model_validate(json.loads(path.read_bytes()))
    except ValueError as error:
        raise RunFolderError(
            f"{path} is not an evaluation's metrics ({' '.join(str(error).split())[:200]}). "
            "Delete the folder evaluate and run again."
        ) from None


def estimates(records: Iterable[Measurement]) -> list[Estimate]:
    """One estimate for each quantity: the mean over seeds where there is one, else the single value."""
    groups: dict[tuple[object, ...], list[Measurement]] = defaultdict(list)
    for r in records:
        groups[r.protocol, r.subject, r.against, r.metric, r.k, r.split, r.share].append(r)
    return [_estimate(group) for group in groups.values()]


def _estimate(group: Sequence[Measurement]) -> Estimate:
    first = group[0]
    mean = next((r for r in group if r.aggregate == "mean"), None)
    single = next((r for r in group if r.aggregate is None and r.seed is None), None)
    chosen = mean or single
    seeds = [r.value for r in group if r.aggregate is None]
    value = chosen.value if chosen else sum(seeds) / max(len(seeds), 1)
    only = chosen or (group[0] if len(group) == 1 else None)
    return Estimate(
        first.protocol,
        first.subject,
        first.against,
        first.metric,
        first.k,
        first.split,
        first.share,
        value,
        only.low if only else None,
        only.high if only else None,
        next((r.value for r in group if r.aggregate == "std"), None),
    )


def own_subject(found: Sequence[Estimate], protocol: str) -> str | None:
    """The furthest of our sets that a protocol judged."""
    subjects = {e.subject for e in found if e.protocol == protocol and e.against is None}
    return next((name for name in OWN_SETS if name in subjects), None)


def is_ours(subject: str) -> bool:
    """Whether a subject is one of our sets, or an ablation of one (`aligned without …`)."""
    return any(re.match(rf"{name}(?!\w)", subject) for name in OWN_SETS)


def strongest(found: Sequence[Estimate], like: Estimate) -> Estimate | None:
    """The best landmark of the same protocol, metric, cut-off, split and share as an estimate.

    The best is the best on validation; where a landmark was not measured there, the best of the same split.
    """
    rivals = {split: _landmarks(found, like, split) for split in ("valid", like.split)}
    ours, judges = rivals[like.split], rivals["valid"]
    if judges.keys() < ours.keys():
        judges = ours
    best = max(ours, key=lambda name: (judges[name].value, name), default=None)
    return None if best is None else ours[best]


def _landmarks(found: Sequence[Estimate], like: Estimate, split: str) -> dict[str, Estimate]:
    """By name, what the landmarks reached where `like` was measured, but on this split."""
    return {
        e.subject: e
        for e in found
        if e.against is None
        and not is_ours(e.subject)
        and e.split == split
        and (e.protocol, e.metric, e.k, e.share) == (like.protocol, like.metric, like.k, like.share)
    }


def difference(found: Sequence[Estimate], of: Estimate, against: str) -> Estimate | None:
    """The paired difference between an estimate's subject and a rival, where it was measured."""
    return next(
        (
            e
            for e in found
            if e.against == against
            and (e.protocol, e.subject, e.metric, e.k, e.split, e.share)
            == (of.protocol, of.subject, of.metric, of.k, of.split, of.share)
        ),
        None,
    )
