"""What a card tells of an evaluation."""

from __future__ import annotations

from dataclasses import replace

from alignrec.core.results import Measurement, Results
from alignrec.export.release.scores import Score, scores_of

OWN = Measurement("top-k", "aligned", "recall", 20, "test", 0.2, 0.1, 0.3, aggregate="mean")
TEXT = Measurement("zero-shot", "text, centred", "recall", 20, "test", 0.1)


def test_the_best_comes_first_under_the_weightiest_protocol() -> None:
    records = [
        TEXT,
        replace(TEXT, subject="multimodal", value=0.12),
        replace(TEXT, subject="multimodal", value=0.05, metric="ndcg"),
        OWN,
        *(replace(OWN, aggregate=None, seed=seed) for seed in (1, 2)),
        replace(OWN, aggregate="std", value=0.01),
        replace(OWN, subject="EASE", value=0.3),
    ]
    assert scores_of(Results(records)) == [
        Score("top-k", "EASE", 20, 0.3, None, 0.1, 0.3, None),
        Score("top-k", "aligned", 20, 0.2, None, 0.1, 0.3, 0.01),
        Score("zero-shot", "multimodal", 20, 0.12, 0.05, None, None, None),
        Score("zero-shot", "text, centred", 20, 0.1, None, None, None, None),
    ]


def test_shorter_lists_differences_masks_and_validation_are_left_out() -> None:
    records = [
        OWN,
        replace(OWN, k=10),
        replace(OWN, against="EASE"),
        replace(OWN, split="valid"),
        replace(OWN, protocol="mask-text", share=0.5),
    ]
    assert scores_of(Results(records)) == [Score("top-k", "aligned", 20, 0.2, None, 0.1, 0.3)]


def test_ablations_stand_under_the_weightiest_protocol_alone() -> None:
    ablation = replace(OWN, subject="aligned without ICA")
    records = [OWN, ablation, *(replace(record, protocol="long-tail") for record in (OWN, ablation))]
    found = [(score.protocol, score.subject) for score in scores_of(Results(records))]
    assert found == [("top-k", "aligned"), ("top-k", "aligned without ICA"), ("long-tail", "aligned")]

    form = replace(TEXT, subject="multimodal in linear form")
    both = [OWN, ablation, form, replace(form, protocol="item-cf"), replace(TEXT, protocol="item-cf")]
    found = [(score.protocol, score.subject) for score in scores_of(Results(both))]
    assert found[2:] == [("zero-shot", "multimodal in linear form"), ("item-cf", "text, centred")]


def test_without_a_recall_there_is_no_score() -> None:
    assert scores_of(Results([replace(OWN, metric="ndcg")])) == [] == scores_of(Results())
