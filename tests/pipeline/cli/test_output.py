"""Messages reach the terminal as words."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alignrec.core.results import Measurement
from alignrec.export.release.write import write_release
from alignrec.pipeline.cli.app import app, main
from alignrec.pipeline.cli.output import say
from alignrec.pipeline.runner.console import cell
from tests.export.hub_cases import features, make_release

HOSTILE = "\x1b[31mred\x1b]0;t\x07 [link=file:///x]a[/link] [/] \u202ecod \x9b2J\r\nerror: none"


def test_a_message_is_printed_without_what_acts_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    say("two\nlines, \x1b[2J[bold]\u202e")
    say(Path("a\x07b"), err=True)
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("two\nlines, \\x1b[2J[bold]\\u202e\n", "a\\x07b\n")


def _acts(text: str) -> bool:
    """Whether a text does anything to a terminal but to begin lines."""
    return not text.replace("\n", "").isprintable()


def test_what_an_evaluation_names_is_words_in_a_table(tmp_path: Path) -> None:
    for name, value in (("a", 0.1), ("b", 0.2)):
        record = Measurement(HOSTILE, HOSTILE, "recall", 20, "test", value).record()
        metrics = json.dumps({"records": [record]}).encode()
        sets = [features("image", 4, seed=int(value * 10))]
        write_release(tmp_path / name, sets, [], {"licence": "mit"}, extractors={}, metrics=metrics)
    both = [str(tmp_path / "a"), str(tmp_path / "b")]
    ended = CliRunner().invoke(app, ["diff", *both], env={"COLUMNS": "800", "NO_COLOR": "1"})
    assert ended.exit_code == 0, ended.exception
    assert not _acts(ended.stdout) and "[link=file:///x]a[/link] [/] \\u202ecod" in ended.stdout
    assert not any(line.startswith("error:") for line in ended.stdout.splitlines())


def test_an_error_names_files_as_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_release(tmp_path / "r")
    (tmp_path / "r" / "x\x1b[2J\nerror: whole\u202e").write_text("")
    monkeypatch.setattr(sys, "argv", ["alignrec", "verify", str(tmp_path / "r")])
    with pytest.raises(SystemExit, match="3"):
        main()
    printed = capsys.readouterr().err
    assert "  x\\x1b[2J error: whole\\u202e: not in the manifest\n" in printed and not _acts(printed)


def test_a_cell_is_one_line_without_markup() -> None:
    assert cell("[b]x[/b]\n\x1b") == "\\[b]x\\[/b] \\x1b"
