"""The numbers of an evaluation on a terminal."""

from __future__ import annotations

from dataclasses import replace
from io import StringIO

from rich.console import Console

from alignrec.core.results import Measurement, Results
from alignrec.pipeline.stages.evaluate.tables import results_tables

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
    console = Console(file=StringIO(), width=120)
    for table in results_tables(results):
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


def test_without_numbers_there_is_no_table() -> None:
    assert results_tables(Results()) == []
