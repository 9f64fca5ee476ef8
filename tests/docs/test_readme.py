"""The Python that the README begins with answers as printed, on the demo's own catalogue."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import pytest

from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.demo.run import write_demo
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run

README = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
LONGEST = 160
# Of the demo, what its texts need: neither pictures nor orders change a vector of a text.
TEXTS_ALONE = ["export.sets=[text]", "catalog.items.image=null", "catalog.interactions=null", "split={}"]


def test_it_can_be_read_in_one_go() -> None:
    assert len(README.splitlines()) <= LONGEST


@pytest.mark.slow
def test_its_first_lines_answer_as_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (session,) = re.findall(r"^```pycon\n(.*?)^```", README, re.DOTALL | re.MULTILINE)
    config = write_demo(tmp_path / "demo", 1, Console(quiet=True))
    run(load_config(config, [*TEXTS_ALONE, "evaluate.masked=[]"]), console=Console(quiet=True))
    monkeypatch.chdir(tmp_path)
    examples = doctest.DocTestParser().get_doctest(session, {}, "README", None, None)
    answered = doctest.DocTestRunner().run(examples)
    assert answered.attempted == 5 and answered.failed == 0
