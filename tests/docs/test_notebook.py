"""The notebook of examples/: its cells run on a small catalogue as printed, and the guide shows its code."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from alignrec.core.errors import AlignRecWarning
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.demo.catalogue import make_catalogue
from alignrec.pipeline.demo.run import demo_settings

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOK = json.loads((ROOT / "examples" / "use-in-your-recommender.ipynb").read_text("utf-8"))
GUIDE = (ROOT / "docs" / "use-in-your-recommender.md").read_text("utf-8")


def sources(kind: str) -> list[str]:
    return ["".join(cell["source"]) for cell in NOTEBOOK["cells"] if cell["cell_type"] == kind]


def commands() -> list[list[str]]:
    (block,) = re.findall(r"```sh\n(.*?)```", sources("markdown")[0], re.DOTALL)
    return [shlex.split(line) for line in block.splitlines()]


def test_it_is_kept_without_outputs() -> None:
    for cell in NOTEBOOK["cells"]:
        assert cell["cell_type"] == "markdown" or (cell["outputs"], cell["execution_count"]) == ([], None)


def test_the_guide_shows_its_code_and_its_commands() -> None:
    cells = "\n\n".join(sources("code"))
    blocks = re.findall(r"```python\n(.*?)\n```", GUIDE, re.DOTALL)
    assert len(blocks) >= 4 and [block for block in blocks if block not in cells] == []
    shown = re.findall(r"^alignrec .*$", GUIDE, re.MULTILINE)
    assert [shlex.join(words) for words in commands()] == shown


@pytest.mark.slow
def test_its_cells_run_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("faiss")
    # A smaller demo, with a training of few epochs: what the first command makes in minutes.
    make_catalogue(tmp_path / "demo" / "catalogue", seed=1, items=80, users=120)
    settings = demo_settings() | {"seed": 1, "pretrain": {"epochs": 1}, "train": {"epochs": 2, "members": 1}}
    (tmp_path / "demo" / "alignrec.yaml").write_text(yaml.safe_dump(settings))
    monkeypatch.chdir(tmp_path)
    for _, *words in commands()[1:]:
        answer = CliRunner().invoke(app, words)
        assert answer.exit_code == 0, answer.output
    names: dict[str, object] = {}
    for cell in sources("code"):
        exec(compile(cell, "cell", "exec"), names)
    (caught,) = names["caught"]  # type: ignore[misc]
    assert caught.category is AlignRecWarning and "aligned" in str(caught.message)
    found = names["of_user"]
    assert isinstance(found, dict) and set(found) == {"ids alone", "mixed"}
    assert all(np.isfinite(of_user).all() for of_user in found.values())
