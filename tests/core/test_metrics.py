"""The metrics and their words."""

from __future__ import annotations

from alignrec.core.metrics import MAIN_METRICS, METRICS, metric_label


def test_each_is_known_by_its_name_and_those_shown_are_among_them() -> None:
    assert [(name, metric.name) for name, metric in METRICS.items()] == [
        (name, name) for name in ("recall", "precision", "ndcg", "map", "hit", "mrr")
    ]
    assert MAIN_METRICS == ("recall", "ndcg")
    assert all(metric.label and metric.definition for metric in METRICS.values())


def test_a_heading_has_its_label_and_what_is_unknown_its_bare_name() -> None:
    assert metric_label("ndcg") == "NDCG"
    for name in ("zapped", "", "<b>"):
        assert metric_label(name) == name
