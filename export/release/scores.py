"""What a card tells of an evaluation: the test numbers at the longest list."""

from __future__ import annotations

from dataclasses import dataclass

from alignrec.core.metrics import MAIN_METRICS
from alignrec.core.results import Results
from alignrec.core.vocabulary import OWN_SETS

# How the names of ablations and other forms begin.
_VARIANTS = tuple(f"{name} " for name in OWN_SETS)


@dataclass(frozen=True)
class Score:
    """What one subject reached under one protocol, on test.

    Attributes:
        protocol: a name of `core.protocols`, or one that is not known there.
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


def scores_of(results: Results) -> list[Score]:
    """The scores of an evaluation, best first under each protocol, the weightiest protocol first.

    An ablation is listed under the weightiest protocol that has it; what masks and differences say, nowhere.
    """
    test = results.select(split="test", against=None, share=None)
    scores: list[Score] = []
    for protocol in test.protocols:
        listed = {score.subject for score in scores if score.subject.startswith(_VARIANTS)}
        measured = test.select(protocol=protocol)
        measured = measured.where(lambda record, listed=listed: record.subject not in listed)  # type: ignore[misc]
        scores += sorted(_scores(measured), key=lambda score: (-score.recall, score.subject))
    return scores


def _scores(measured: Results) -> list[Score]:
    """The scores under one protocol: one for each subject that has a recall."""
    k = measured.largest_k
    recalls, ndcgs = (
        {e.subject: e for e in measured.select(k=k, metric=metric).estimates} for metric in MAIN_METRICS
    )
    return [
        Score(
            e.protocol,
            subject,
            k,
            e.value,
            ndcgs[subject].value if subject in ndcgs else None,
            e.low,
            e.high,
            e.deviation,
        )
        for subject, e in recalls.items()
    ]
