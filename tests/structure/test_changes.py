"""What can be added is added in one file outside the project's tree, and used from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from alignrec.core import plugins
from alignrec.pipeline.cli.app import app
from tests.export.hub_cases import make_release
from tests.pipeline.small_models import write_quick_catalogue

FORMAT = """
import numpy as np
from alignrec.export.formats.contract import Format

def write(sets, folder, interactions):
    np.savetxt(folder / "means.txt", [features.matrix.mean() for features in sets])

MEANS = Format("means", "the mean of each set", write, several=True)
"""

SOURCE = """
from alignrec.pipeline.catalog.formats.format import open_table
from alignrec.pipeline.catalog.sources.source import Source

SHELF = Source(
    "shelf",
    items=lambda path, pictures: open_table(str(path / "items.jsonl")),
    interactions=lambda path: open_table(str(path / "interactions.csv")),
)
"""

STAGE = """
from alignrec.pipeline.runner.stage import Plan, Stage

class Count(Stage):
    name, after, reads = "count", "extract", ("extract",)

    def plan(self, context):
        return Plan({"extract": context.done["extract"].files})

    def make(self, context, target):
        items = context.done["extract"].summary["items"]
        (target / "count.txt").write_text(str(items))
        return {"items": items}

    def describe(self, summary):
        return [f"count: {summary['items']} items"]

COUNT = Count()
"""

LANDMARK = """
import numpy as np
from alignrec.aligner.landmarks.contract import Landmark

def fit(data):
    return lambda users: np.tile(np.arange(data.split.items, dtype=np.float32), (len(users), 1))

LAST = Landmark("last added", "later items first", fit)
"""


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_files", {})


def command(*arguments: object) -> str:
    answer = CliRunner().invoke(app, list(map(str, arguments)))
    assert answer.exit_code == 0, (answer.output, answer.exception)
    return answer.stdout


def configure(folder: Path, plugin: str, **settings: object) -> Path:
    """A config of a tiny catalogue, with a plugin beside it."""
    config = write_quick_catalogue(folder, items=12, users=9)
    (folder / "own.py").write_text(plugin)
    loaded = yaml.safe_load(config.read_text()) | {"plugins": ["own.py"]} | settings
    config.write_text(yaml.safe_dump(loaded))
    return config


def test_an_export_format(tmp_path: Path) -> None:
    release, plugin = tmp_path / "release", tmp_path / "own.py"
    make_release(release)
    plugin.write_text(FORMAT)
    to = ("--to", tmp_path / "means", "--format", "means", "--plugin", plugin, "--json")
    assert json.loads(command("pull", release, *to))["format"] == "means"
    assert np.loadtxt(tmp_path / "means" / "means.txt").shape == (3,)


def test_a_source(tmp_path: Path) -> None:
    catalog = {"items": {"path": "shelf:."}, "interactions": {"path": "shelf:."}}
    command("run", "-c", configure(tmp_path, SOURCE, catalog=catalog), "--until", "extract", "-q")
    summary = json.loads((tmp_path / "run" / "extract" / "stage.json").read_text())["summary"]
    assert summary["items"] == 12 and summary["interactions"] > 0


def test_a_stage(tmp_path: Path) -> None:
    config = configure(tmp_path, STAGE)
    command("run", "-c", config, "--until", "count", "-q")
    assert (tmp_path / "run" / "count" / "count.txt").read_text() == "12"
    states = {
        state["stage"]: state["state"] for state in json.loads(command("status", "-c", config, "--json"))
    }
    assert states["count"] == "done"


def test_a_landmark(tmp_path: Path) -> None:
    export = {"sets": ["image", "text", "multimodal", "aligned"]}
    config = configure(tmp_path, LANDMARK, export=export, train={"dim": 8, "epochs": 1})
    command("run", "-c", config, "--until", "evaluate", "-q")
    metrics = json.loads((tmp_path / "run" / "evaluate" / "metrics.json").read_text())
    assert "last added" in {record["subject"] for record in metrics["records"]}


def test_a_modality(tmp_path: Path) -> None:
    """Of a kind that there is: no file of the project's, and no plugin either."""
    photo = {"type": "image", "columns": "image"}
    title = {"type": "text", "template": "{title}"}
    catalog = {"items": {"path": "items.jsonl"}, "modalities": {"photo": photo, "title": title}}
    config = configure(tmp_path, "", catalog=catalog, export={"sets": ["title", "photo"]})
    command("run", "-c", config, "--until", "export", "-q")
    sets = json.loads((tmp_path / "run" / "release" / "manifest.json").read_text())["sets"]
    assert {name: entry["valid"] for name, entry in sets.items()} == {"photo": 12, "title": 12}


def test_an_extractor(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "adding-an-extractor.md").read_text("utf-8")
    blocks = [block.split("```")[0] for block in page.split("```python\n")[1:]]
    plugin = "\n".join(block for block in blocks if "load_extractor(" not in block)
    config = configure(tmp_path, plugin, extract={"image": "colour:histogram", "max_rejected": 0.5})
    command("run", "-c", config, "--until", "extract", "-q")
    summary = json.loads((tmp_path / "run" / "extract" / "stage.json").read_text())["summary"]
    assert summary["sets"]["image"]["dim"] == 24
