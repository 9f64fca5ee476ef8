"""An extractor in one file outside the project: a config names it, a run uses it, and so does `encode`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from alignrec.core import plugins
from alignrec.export import load_features
from alignrec.pipeline.cli.diff import open_reference
from alignrec.pipeline.commands.encode import encode
from alignrec.pipeline.config.catalog import ItemsConfig
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.extract.stage import STAGE
from tests.extractors.test_documented import SNIPPETS
from tests.pipeline.catalogues import write_catalogue

QUIET = Console(quiet=True)


def test_a_run_and_encode_use_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert STAGE.name == "extract"
    monkeypatch.setattr(plugins, "_files", {})
    config = write_catalogue(tmp_path)
    (tmp_path / "colour.py").write_text("\n\n".join(SNIPPETS), encoding="utf-8")
    settings = yaml.safe_load(config.read_text())
    settings["plugins"] = ["colour.py"]
    settings["catalog"]["items"]["text"] = None
    settings["extract"]["image"] = "colour:histogram"
    settings["export"] = {"sets": ["image"]}
    config.write_text(yaml.safe_dump(settings))
    release = run(config, console=QUIET).release
    assert release is not None
    features = load_features(release, "image")
    assert features.matrix.shape == (6, 24) and features.valid.all()

    items = ItemsConfig(path=str(tmp_path / "items.jsonl"), text=None)
    encoded = encode(open_reference(str(release)), items, tmp_path / "work", QUIET)
    assert [(s.name, list(s.ids)) for s in encoded.sets] == [("image", list(features.ids))]
    assert np.array_equal(encoded.sets[0].matrix, features.matrix)
