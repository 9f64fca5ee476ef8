"""The metrics of a ranking, each declared once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A metric of a ranking at k.

    Attributes:
        name: as records have it.
        label: as headings have it.
        definition: for one user; the value is the mean over users.
    """

    name: str
    label: str
    definition: str


METRICS = {
    metric.name: metric
    for metric in (
        Metric("recall", "Recall", "hits in the first k / positives of the user"),
        Metric("precision", "Precision", "hits in the first k / k"),
        Metric(
            "ndcg",
            "NDCG",
            "sum over hits in the first k of 1 / log2(place + 1), divided by the same sum for places 1 to "
            "min(k, positives)",
        ),
        Metric(
            "map", "MAP", "sum over hits in the first k of the precision at their place / min(k, positives)"
        ),
        Metric("hit", "Hit", "1 with a hit in the first k"),
        Metric("mrr", "MRR", "1 / place of the first hit; 0 beyond k"),
    )
}
# Those that tables and charts show; selection and verdicts go by the first.
MAIN_METRICS = ("recall", "ndcg")


def metric_label(name: str) -> str:
    """A metric as headings have it; its bare name where it is not declared here."""
    return METRICS[name].label if name in METRICS else name
