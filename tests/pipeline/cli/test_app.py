"""Manners at the terminal: colours that can be switched off, and completion for the shell."""

from __future__ import annotations

import re
import warnings

import pytest
from typer.testing import CliRunner

import alignrec
from alignrec.core.errors import AlignRecWarning
from alignrec.pipeline.cli import app as cli_app
from alignrec.pipeline.cli.app import app

COLOUR = re.compile(r"\x1b\[[0-9;]*[39][0-7]m")


@pytest.mark.parametrize(("forbidden", "coloured"), [(None, True), ("1", False)])
def test_no_color_is_heeded(forbidden: str | None, coloured: bool) -> None:
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "NO_COLOR": forbidden}
    answer = CliRunner().invoke(app, ["doctor"], env=terminal)
    assert answer.exit_code == 0
    assert bool(COLOUR.search(answer.output)) == coloured


def test_it_says_its_version() -> None:
    answer = CliRunner().invoke(app, ["--version"])
    assert (answer.exit_code, answer.stdout) == (0, f"alignrec {alignrec.__version__}\n")


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("alignrec pre", {"pretrain"}),
        ("alignrec e", {"extract", "evaluate", "export", "estimate", "encode", "extend"}),
    ],
)
def test_the_shell_completes_commands(typed: str, expected: set[str]) -> None:
    bash = {"_ALIGNREC_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": "1"}
    answer = CliRunner().invoke(app, [], prog_name="alignrec", env=bash)
    assert answer.exit_code == 0
    assert set(answer.output.split()) == expected


def test_the_shell_completes_options() -> None:
    zsh = {"_ALIGNREC_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "alignrec run --un"}
    answer = CliRunner().invoke(app, [], prog_name="alignrec", env=zsh)
    assert "--until" in answer.output and "--quiet" not in answer.output


def test_our_warnings_are_lines_and_others_stay_as_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    others: list[object] = []
    monkeypatch.setattr(warnings, "showwarning", lambda message, *_place, **_more: others.append(message))

    def command() -> None:
        warnings.warn("the record is lost", AlignRecWarning, stacklevel=1)
        warnings.warn("theirs", DeprecationWarning, stacklevel=1)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        cli_app._guard(command)
    assert capsys.readouterr().err == "warning: the record is lost\n"
    assert [str(message) for message in others] == ["theirs"]
