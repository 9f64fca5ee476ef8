from __future__ import annotations

import re
import sys
import time

import pytest
import rich.console
from rich.table import Table

from alignrec.pipeline.runner import console as console_module
from alignrec.pipeline.runner.console import Console

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\r\n]")


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


@pytest.mark.parametrize(
    ("title", "total"), [("extract image", 799), ("evaluate: aligned without content, seed 3", 1000)]
)
def test_both_times_are_whole_on_a_hundred_columns(
    title: str, total: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    terminal = rich.console.Console(stderr=True, width=100, force_terminal=True, color_system=None)
    clock = iter(range(0, 10**6, 90))
    terminal.get_time = lambda: float(next(clock))  # type: ignore[method-assign]
    with Console(_rich=terminal).progress(title, total) as advance:
        advance(100)
        advance(100, "softmax 3.1415, held-out text 0.250, recall@20 0.1234")
    *_, last = [line for line in CONTROL.split(capsys.readouterr().err) if line.strip()]
    assert len(last) <= 100 and last.startswith(title[:20])
    assert re.search(rf" 200/{total} +\d+:\d\d:\d\d so far +\d+:\d\d:\d\d left soft", last), last


def test_a_log_gets_a_line_now_and_then_though_no_step_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert console_module.LOG_SECONDS == 30
    monkeypatch.setattr(console_module, "LOG_SECONDS", 0.05)
    with Console().progress("train", 1000, done=250) as advance:
        time.sleep(0.12)
        advance(250, "recall@20 0.1234")
        time.sleep(0.12)
    first, *lines = capsys.readouterr().err.splitlines()
    assert first == "train: 750 to do"
    assert lines[0] == "train: 250 of 1,000, 0:00:00 so far", "nothing is known of the time left"
    assert lines[-1] == "train: 500 of 1,000, 0:00:00 so far, 0:00:00 left; recall@20 0.1234"
    time.sleep(0.12)
    assert capsys.readouterr().err == "", "nothing comes once it has ended"


def test_the_time_left_is_told_by_what_was_done_now(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "monotonic", lambda: 1000.0)
    log = console_module._Log("train", 1000, before=400, began=1000 - 4000)
    log.advance(200)
    assert log.line() == "train: 600 of 1,000, 1:06:40 so far, 2:13:20 left"
