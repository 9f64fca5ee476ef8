"""The evaluation and the training, cut into charts and tables."""

from __future__ import annotations

from dataclasses import replace

from alignrec.core.results import Measurement, Results
from alignrec.pipeline.report.panels import panels, training
from alignrec.pipeline.runner.curves import Curve

OWN = Measurement("top-k", "aligned", "recall", 20, "test", 0.2, 0.1, 0.3)
REST = Measurement("top-k", "EASE", "recall", 20, "test", 0.25)
GAIN = replace(OWN, value=-0.05, low=-0.1, high=0.01, against="EASE")


def test_each_protocol_has_a_panel_the_weightiest_first() -> None:
    records = [replace(OWN, protocol=name) for name in ("odd", "long-tail", "zero-shot", "top-k")]
    found = panels(Results(records))
    assert [panel.title for panel in found] == ["Recommendation", "Zero-shot", "Long tail", "odd"]
    assert found[-1].question == "" and found[0].question.startswith("Trained on who liked what")
    assert panels(Results()) == []


def test_a_panel_draws_the_largest_k_and_lists_everything() -> None:
    records = [OWN, REST, GAIN, replace(OWN, k=10), replace(OWN, metric="map"), replace(OWN, split="valid")]
    records += [replace(OWN, metric="ndcg", value=0.4)]
    (panel,) = panels(Results(records))
    assert [chart.title for chart in panel.values] == ["Recall@20 on test", "NDCG@20 on test"]
    assert [(row.label, row.ours, row.value, row.interval) for row in panel.values[0].rows] == [
        ("EASE", False, "0.2500", ""),
        ("aligned", True, "0.2000", "0.1000 to 0.3000"),
    ]
    (paired,) = panel.differences
    assert paired.title == "Gain of aligned in Recall@20"
    assert [(row.label, row.value, row.interval) for row in paired.rows] == [
        ("over EASE", "-0.0500", "-0.1000 to +0.0100")
    ]
    assert panel.lines == [] and len(panel.table) == len(records)


def test_a_masked_share_runs_along_a_line() -> None:
    masked = [
        replace(OWN, protocol="mask-text", subject=subject, share=share, value=0.2 - share / 10)
        for subject in ("text, centred", "multimodal")
        for share in (0.5, 0.0)
    ]
    (panel,) = panels(Results(masked))
    assert (panel.title, panel.values, panel.differences) == ("Without texts", [], [])
    (chart,) = panel.lines
    assert (chart.title, chart.across) == ("Recall@20 on test", "share lost")
    assert [(line.label, line.last) for line in chart.lines] == [
        ("multimodal", "0.15"),
        ("text, centred", "0.15"),
    ]


def test_thinned_histories_run_along_what_is_kept() -> None:
    kept = [replace(OWN, protocol="thinned", share=share, value=share) for share in (0.1, 0.5)]
    (panel,) = panels(Results(kept))
    assert (panel.title, panel.lines[0].across) == ("Thinned histories", "share kept")


def test_titles_tell_what_numbers_are_taken_over() -> None:
    (panel,) = panels(Results([OWN]), ", several splits together")
    assert panel.title == f"{panels(Results([OWN]))[0].title}, several splits together"


def test_training_is_drawn_stage_by_stage() -> None:
    points = ((1.0, 2.0), (2.0, 1.0))
    curves = [
        Curve("train", "loss", "train", 1, points),
        Curve("train", "loss", "train", 2, points),
        Curve("pretrain", "loss", None, 1, points),
        Curve("pretrain", "odd", None, 1, ((1.0, float("nan")),)),
    ]
    found = training(curves)
    assert [(stage.title, [chart.title for chart in stage.charts]) for stage in found] == [
        ("Pretraining: what goes together", ["loss"]),
        ("Training: users with items", ["loss"]),
    ]
    labels = [[line.label for line in stage.charts[0].lines] for stage in found]
    assert labels == [["loss"], ["train, seed 1", "train, seed 2"]]
    assert training([]) == []
