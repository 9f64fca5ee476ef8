from __future__ import annotations

import pytest
from rich.table import Table

from alignrec.pipeline.runner.console import Console


def test_a_log_has_neither_colours_nor_bars(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.note("extract: [red]2 items[/]")
    with console.progress("pretrain", 3) as advance:
        advance(1, "loss 0.1")
    assert capsys.readouterr() == ("", "extract: [red]2 items[/]\npretrain: 3 to do\n")


def test_a_quiet_one_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console(quiet=True)
    console.note("extract: 2 items")
    console.show(Table("metric"))
    with console.progress("pretrain", 3) as advance:
        advance(3)
    assert capsys.readouterr() == ("", "")


def test_standard_output_is_left_to_answers(capsys: pytest.CaptureFixture[str]) -> None:
    table = Table("metric", "value", box=None, pad_edge=False)
    table.add_row("recall@20", "0.2")
    Console().show(table)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line.split() for line in err.splitlines()] == [["metric", "value"], ["recall@20", "0.2"]]
