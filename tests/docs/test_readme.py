"""The Python that the README begins with answers as printed, on the demo's own catalogue."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from tests.pipeline.finished_demo import FinishedDemo

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
LONGEST = 160


def test_it_can_be_read_in_one_go() -> None:
    assert len(README.splitlines()) <= LONGEST


@pytest.mark.slow
def test_its_first_lines_answer_as_printed(demo: FinishedDemo, monkeypatch: pytest.MonkeyPatch) -> None:
    (session,) = re.findall(r"^```pycon\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(demo.folder.parent)
    examples = doctest.DocTestParser().get_doctest(session, {}, "README", None, None)
    answered = doctest.DocTestRunner().run(examples)
    assert answered.attempted == 5 and answered.failed == 0
