from __future__ import annotations

import html
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from alignrec.core.cross_view import CrossView
from alignrec.core.results import Results
from alignrec.export import load_features, verify_folder
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.runner import bring_up_to_date
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.export import STAGE
from tests.pipeline.run_folders import CARD, IDS, REJECTED, TEXT, VALID, finish, write_extracted
from tests.pipeline.small_models import write_quick_catalogue


def context(folder: Path, card: dict[str, Any]) -> StageContext:
    run = write_extracted(folder / "run", card=card)
    catalog = {"items": {"path": "x", "image": None}}
    settings = {"name": "tiny", "out": run.path, "catalog": catalog, "export": {"sets": ["text"]}}
    return StageContext(Config.model_validate(settings), STAGE, {"extract": run.manifest("extract")})


def test_the_release_of_an_extraction(tmp_path: Path) -> None:
    manifest = bring_up_to_date(context(tmp_path, CARD)).manifest
    folder = tmp_path / "run" / "release"
    release = verify_folder(folder)
    assert manifest.summary["release_id"] == release.release_id
    assert (tmp_path / "run" / "export.json").is_file() and not (folder / "stage.json").exists()
    text = load_features(folder, "text")
    assert (list(text.ids), text.valid.tolist()) == (IDS, VALID)
    np.testing.assert_array_equal(text.matrix, TEXT)
    assert pq.read_table(folder / "data" / "rejected.parquet").to_pylist() == [REJECTED]
    provenance = release.provenance
    assert (provenance["name"], provenance["seed"], provenance["extractors"]) == ("tiny", 1, {"text": CARD})
    assert provenance["catalogue"] == {
        "items": 4,
        "interactions": 0,
        "rejected": {"text: empty": 1},
        "template": "{title}",
        "columns": {"id": "item_id", "image": None},
        "inputs": {"text": "ab"},
        "modalities": {},
    }
    assert sorted(provenance["software"]) == sorted(("python", *STAGE.libraries))


@pytest.mark.parametrize(
    ("name", "public"),
    [
        ("transformers:{home}/models/mine", "transformers:mine"),
        ("open_clip:local-dir:{home}/models/mine", "open_clip:local-dir:mine"),
        ("transformers:owner/mine", "transformers:owner/mine"),
    ],
)
def test_where_a_model_lies_is_not_published(tmp_path: Path, name: str, public: str) -> None:
    bring_up_to_date(context(tmp_path, CARD | {"name": name.format(home=tmp_path)}))
    folder = tmp_path / "run" / "release"
    assert verify_folder(folder).provenance["extractors"]["text"]["name"] == public
    published = [path for path in folder.rglob("*") if path.is_file()]
    assert [path for path in published if str(tmp_path).encode() in path.read_bytes()] == []


def test_without_an_evaluation_the_numbers_are_those_of_alignment(tmp_path: Path) -> None:
    catalogue = context(tmp_path, CARD)
    bring_up_to_date(catalogue)
    assert not (tmp_path / "run" / "release" / "metrics.json").exists()
    alignment = {"sentence": "nothing to align", "directions": []}
    pretrained = finish(tmp_path / "run" / "pretrain", {}, {"alignment": alignment})
    bring_up_to_date(replace(catalogue, done={**catalogue.done, "pretrain": pretrained}))
    verify_folder(tmp_path / "run" / "release")
    found = Results.read(tmp_path / "run" / "release" / "metrics.json")
    assert found.alignment == CrossView.parse(alignment) and not found.records
    assert not (tmp_path / "run" / "release" / "chart.png").exists()


def test_it_is_described_by_its_release() -> None:
    summary = {"release_id": "0123456789abcdef", "sets": {"text": {"valid": 1200, "dim": 2}}}
    assert STAGE.describe(summary) == ["export: release 0123456789ab; valid: text 1,200 × 2"]


def test_who_was_rejected_is_published_only_with_users(tmp_path: Path) -> None:
    config = write_quick_catalogue(tmp_path, items=24, users=30)
    with (tmp_path / "interactions.csv").open("a") as log:
        log.write("u7,nothing,5\n")
    quiet, tiny = Console(quiet=True), "train={dim: 8, epochs: 1, members: 1, device: cpu}"
    for sets, published in (("[image]", None), ("[image, user]", "u7")):
        done = run(config, "export", [f"export.sets={sets}", tiny], quiet)
        (row,) = pq.read_table(done.folder / "release" / "data" / "rejected.parquet").to_pylist()
        assert (row["source"], row["reason"], row["user_id"]) == ("interactions", "unknown-item", published)
        assert "detail" not in row
        learned = load_features(done.folder / "release", sets.strip("[]").split(", ")[-1]).learned_from
        page = html.unescape((done.folder / "report.html").read_text())
        assert (f"learned from {learned}. Measure" in page) == (published is not None)
        if published is None:
            assert learned is None, "pictures have seen no interactions"
        else:
            counts = RunFolder(done.folder).manifest("split").summary
            assert learned is not None and learned.rule.endswith("0.8:0.1:0.1, seed 1")
            assert learned.interactions == counts["train"]
            assert learned.held_out == counts["valid"] + counts["test"]
