"""Manners at the terminal: colours that can be switched off, and completion for the shell."""

from __future__ import annotations

import re

import pytest
from typer.testing import CliRunner

from alignrec.pipeline.cli.app import app

COLOUR = re.compile(r"\x1b\[[0-9;]*[39][0-7]m")


@pytest.mark.parametrize(("forbidden", "coloured"), [(None, True), ("1", False)])
def test_no_color_is_heeded(forbidden: str | None, coloured: bool) -> None:
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color", "NO_COLOR": forbidden}
    answer = CliRunner().invoke(app, ["doctor"], env=terminal)
    assert answer.exit_code == 0
    assert bool(COLOUR.search(answer.output)) == coloured


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("alignrec pre", {"pretrain"}), ("alignrec e", {"extract", "evaluate", "export", "encode", "extend"})],
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
