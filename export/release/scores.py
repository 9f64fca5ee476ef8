"""What a release's metrics.json tells a reader of its card: the test numbers at the longest list."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from alignrec.core.vocabulary import ALIGNED, PROTOCOLS

METRICS = "metrics.json"
# How the names of the recommender's ablations and other forms begin.
VARIANT = f"{ALIGNED} "


@dataclass(frozen=True)
class Score:
    """What one subject reached under one protocol, on test.

    Attributes:
        protocol: a key of `PROTOCOLS`.
        subject: a feature set, landmark or ablation.
        k: length of the list.
        recall, ndcg: the mean over seeds where there were several; None where not measured.
        low, high: 95% interval of the recall; None where there is none.
        deviation: standard deviation of the recall over seeds; None where there was one at most.
    """

    protocol: str
    subject: str
    k: int
    recall: float
    ndcg: float | None
    low: float | None
    high: float | None
    deviation: float | None = None


def read_scores(metrics: bytes | None) -> list[Score]:
    """The scores of a metrics.json, best first under each protocol; none where there was no evaluation.

    Ablations are told under the furthest protocol alone.
    """
    content = json.loads(metrics) if metrics else {}
    records = [
        r
        for r in content.get("records", [])
        if r["split"] == "test" and r["against"] is None and r["share"] is None
    ]
    measured = {r["protocol"] for r in records}
    furthest = next((protocol for protocol in PROTOCOLS if protocol in measured), None)
    scores = []
    for protocol in PROTOCOLS:
        of = [r for r in records if r["protocol"] == protocol]
        if protocol != furthest:
            of = [r for r in of if not r["subject"].startswith(VARIANT)]
        longest = max((r["k"] for r in of), default=0)
        subjects = dict.fromkeys(r["subject"] for r in of)
        found = [
            _score(protocol, s, [r for r in of if (r["subject"], r["k"]) == (s, longest)]) for s in subjects
        ]
        scores += sorted(filter(None, found), key=lambda score: (-score.recall, score.subject))
    return scores


def _score(protocol: str, subject: str, records: Sequence[dict[str, Any]]) -> Score | None:
    recall, ndcg = (_one([r for r in records if r["metric"] == metric]) for metric in ("recall", "ndcg"))
    if recall is None:
        return None
    value, low, high = recall
    spread = [r["value"] for r in records if (r["metric"], r["aggregate"]) == ("recall", "std")]
    k, deviation = records[0]["k"], next(iter(spread), None)
    return Score(protocol, subject, k, value, ndcg[0] if ndcg else None, low, high, deviation)


def _one(records: Sequence[dict[str, Any]]) -> tuple[float, float | None, float | None] | None:
    """Value and interval: the mean over seeds where it is there, else the only number, else their mean."""
    plain = [r for r in records if r["aggregate"] is None]
    whole = (
        [r for r in records if r["aggregate"] == "mean"] or [r for r in plain if r["seed"] is None] or plain
    )
    if len(whole) == 1:
        return whole[0]["value"], whole[0]["low"], whole[0]["high"]
    return (sum(r["value"] for r in whole) / len(whole), None, None) if whole else None
