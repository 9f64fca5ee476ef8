"""The numbers of an evaluation on a terminal."""

from __future__ import annotations

import json
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

from alignrec.core.results import Measurement, Results
from alignrec.pipeline.runner.console import Console as RunConsole
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.evaluate.tables import published_table, results_tables, show_run
from tests.pipeline.run_folders import finish

OWN = Measurement("top-k", "aligned", "recall", 20, "test", 0.2, aggregate="mean")
RECORDS = (
    Measurement("top-k", "popularity", "recall", 20, "test", 0.1),
    Measurement("top-k", "popularity", "recall", 10, "test", 0.9),
    Measurement("top-k", "popularity", "recall", 20, "valid", 0.9),
    Measurement("top-k", "popularity", "ndcg", 20, "test", 0.05),
    OWN,
    replace(OWN, metric="ndcg", value=0.15),
    replace(OWN, aggregate="std", value=0.01),
    replace(OWN, value=0.1, low=0.05, high=0.15, against="popularity"),
    Measurement("mask-text", "[bold]odd[/x]", "recall", 20, "test", 0.3, share=0.0),
    Measurement("mask-text", "[bold]odd[/x]", "recall", 20, "test", 0.3, share=0.5),
)


def _lines(results: Results) -> list[str]:
    return _shown(results_tables(results))


def _shown(tables: list[Table]) -> list[str]:
    console = Console(file=StringIO(), width=120)
    for table in tables:
        console.print(table)
    assert isinstance(console.file, StringIO)
    return [" ".join(line.split()) for line in console.file.getvalue().splitlines() if line.strip(" ─")]


def test_test_numbers_at_the_largest_k_stand_best_first() -> None:
    assert _lines(Results(RECORDS)) == [
        "top-k",
        "Recall@20 NDCG@20 aligned over it",
        "aligned 0.200 ± 0.010 0.150",
        "popularity 0.100 0.050 +0.100 [+0.050, +0.150]",
        "mask-text, 50% lost",
        "Recall@20 NDCG@20",
        "[bold]odd[/x] 0.300",
    ]


def test_what_the_numbers_recommend_stands_below_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "evaluate"
    folder.mkdir()
    content = {"format": 1, "records": [record.record() for record in RECORDS]}
    (folder / "metrics.json").write_text(json.dumps(content))
    finish(folder, {}, {})
    show_run(RunFolder(tmp_path), RunConsole())
    *_, similar, new, ranker = capsys.readouterr().err.splitlines()
    assert similar.startswith("Similar items: not measured.") and new.startswith("New items: not measured.")
    assert ranker.startswith("A ranker's input: use aligned. As a recommender of its own, aligned has 0.2000")
    show_run(RunFolder(tmp_path / "none"), RunConsole())
    assert capsys.readouterr().err == ""


def test_what_others_publish_stands_beside_the_runs_own() -> None:
    published = {"[FREEDOM]": (0.15, 0.1), "BPR": (0.05, 0.02)}
    table = published_table(Results(RECORDS), published)
    assert table is not None and _shown([table]) == [
        "top-k beside published numbers",
        "Recall@20 NDCG@20",
        "aligned 0.2000 0.1500",
        "[FREEDOM], as published 0.1500 0.1000",
        "popularity 0.1000 0.0500",
        "BPR, as published 0.0500 0.0200",
    ]
    assert published_table(Results(RECORDS), {}) is None
    assert published_table(Results(), published) is None


def test_without_numbers_there_is_no_table() -> None:
    assert results_tables(Results()) == []
