"""Releases as other tools read them, by `convert` and by `pull --format`, which is the same."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml
from typer.testing import CliRunner, Result

from alignrec.export import load_features
from alignrec.export.errors import ReleaseError
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.cli.convert import converted
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.arrow_files import write_arrow
from alignrec.pipeline.runner.manifest import StageManifest, list_files
from tests.export.hub_cases import make_release


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """An extracted run over the items of a release; returns its config."""
    users = [f"u{n}" for n in range(4) for _ in range(6)] + ["u0"]
    items = [f"i{n:03d}" for _ in range(4) for n in range(2, 8)] + ["i002"]
    columns = {"user_id": users, "item_id": items, "rating": [4.0] * 24 + [5.0]}
    extracted = tmp_path / "run" / "extract"
    write_arrow(pa.table(columns | {"timestamp": [*range(100, 124), 99]}), extracted / "interactions.arrow")
    write_arrow(pa.table({"item_id": [f"i{n:03d}" for n in range(20)]}), extracted / "items.arrow")
    files = list_files(extracted, extracted.glob("*.arrow"))
    StageManifest("extract", {}, files, {}).write(extracted / "stage.json")
    catalog = {"items": {"path": "x"}, "interactions": {"path": "y", "timestamp": "t"}}
    settings = {
        "out": "run",
        "catalog": catalog,
        "split": {"k_core": 2},
        "export": {"sets": ["image", "text"]},
    }
    (tmp_path / "alignrec.yaml").write_text(yaml.safe_dump(settings))
    return tmp_path / "alignrec.yaml"


def pull(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["pull", *map(str, arguments)])


def convert(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["convert", *map(str, arguments)])


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_mmrec_with_the_runs_own_split(tmp_path: Path, run: Path) -> None:
    make_release(tmp_path / "release")
    ended = pull(tmp_path / "release", "--to", tmp_path / "shop", "--format", "mmrec", "-c", run, "--json")
    assert ended.exit_code == 0, ended.output
    assert json.loads(ended.stdout)["sets"] == ["image", "multimodal", "text"]
    inter = pd.read_csv(tmp_path / "shop" / "shop.inter", sep="\t")
    assert inter.columns.tolist() == ["userID", "itemID", "rating", "timestamp", "x_label"]
    assert len(inter) == 24 and np.bincount(inter["x_label"]).tolist() == [16, 4, 4]
    assert inter["rating"].sort_values().tolist() == [4] * 23 + [5]  # of u0 and i002 the earlier counts
    ids = pd.read_csv(tmp_path / "shop" / "i_id_mapping.csv", sep="\t")["asin"].tolist()
    vectors, valid = load_features(tmp_path / "release", "image").align_to(ids)
    np.testing.assert_array_equal(np.load(tmp_path / "shop" / "image_feat.npy")[valid], vectors[valid])


def test_one_set_of_the_callers_choice(tmp_path: Path) -> None:
    make_release(tmp_path / "release")
    ended = pull(tmp_path / "release", "--to", tmp_path / "t", "--format", "recbole", "--set", "text")
    assert ended.exit_code == 0, ended.output
    assert (tmp_path / "t" / "t.itememb").is_file()
    assert pull(tmp_path / "release", "--to", tmp_path / "n", "--format", "numpy").exit_code == 0
    assert np.load(tmp_path / "n" / "multimodal.npy").shape == (20, 4)


def test_a_runs_folder_stands_for_its_release_and_brings_its_split(tmp_path: Path, run: Path) -> None:
    """In a format with a form for interactions, and in one without; a config can lead elsewhere."""
    make_release(tmp_path / "run" / "release")
    alone = pull(tmp_path / "run", "--to", tmp_path / "a", "--format", "numpy", "--json")
    assert alone.exit_code == 0 and json.loads(alone.stdout)["interactions"] == 0, "it is not split yet"
    moved = tmp_path / "moved"
    (tmp_path / "run").rename(moved)
    to = ("--format", "mmrec", "--json", "--to")
    by_config = pull(moved, *to, tmp_path / "c", "-c", run, "-o", f"out={moved}")
    assert by_config.exit_code == 0 and json.loads(by_config.stdout)["interactions"] == 24
    by_folder = pull(moved, *to, tmp_path / "c2")
    assert by_folder.exit_code == 0, by_folder.output
    assert (tmp_path / "c2" / "c2.inter").read_bytes() == (tmp_path / "c" / "c.inter").read_bytes()
    beside = pull(moved, "--to", tmp_path / "n", "--format", "numpy")
    assert "with 24 interactions" in beside.stdout
    parts = pd.read_parquet(tmp_path / "n" / "interactions.parquet")["split"]
    assert parts.value_counts().to_dict() == {"train": 16, "valid": 4, "test": 4}
    assert pull(moved / "release", "--to", tmp_path / "x", "--format", "numpy", "-o", "out=y").exit_code == 2


def test_what_cannot_be_written_is_said(tmp_path: Path, run: Path) -> None:
    make_release(tmp_path / "release")
    to = ("--to", tmp_path / "x")
    wrong = pull(tmp_path / "release", *to, "--format", "torch", "--set", "imag")
    assert isinstance(wrong.exception, ReleaseError) and "Did you mean 'image'" in str(wrong.exception)
    assert pull(tmp_path / "release", *to, "--set", "image").exit_code == 2
    (tmp_path / "run" / "extract" / "stage.json").unlink()
    early = pull(tmp_path / "release", *to, "--format", "mmrec", "-c", run)
    assert isinstance(early.exception, CatalogError)
    assert "holds no finished extract stage" in str(early.exception)
    assert not (tmp_path / "x").exists()


def test_convert_takes_what_pull_takes(tmp_path: Path, run: Path) -> None:
    """A release folder, a run's folder, and a release with the interactions of a config's run."""
    make_release(tmp_path / "run" / "release")
    whole = convert(tmp_path / "run" / "release", "--to", tmp_path / "a", "--format", "numpy", "--json")
    assert whole.exit_code == 0, whole.output
    assert json.loads(whole.stdout)["interactions"] == 0
    to = ("--format", "mmrec", "--json", "--to")
    by_config = convert(tmp_path / "run" / "release", *to, tmp_path / "b", "-c", run)
    assert json.loads(by_config.stdout)["interactions"] == 24
    by_run = convert(tmp_path / "run", *to, tmp_path / "c")
    assert json.loads(by_run.stdout)["interactions"] == 24
    again = tmp_path / "again" / "c"  # files carry the folder's name
    assert pull(tmp_path / "run", *to, again).exit_code == 0
    assert contents(tmp_path / "c") == contents(again)
    assert convert(tmp_path / "run", *to, tmp_path / "e", "-o", "out=elsewhere").exit_code == 2


def test_convert_by_itself_takes_the_run_of_the_config(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    early = convert("--to", "early", "--format", "numpy")
    assert isinstance(early.exception, CatalogError)
    assert str(early.exception).endswith("Run `alignrec run -c alignrec.yaml` first.")
    make_release(tmp_path / "run" / "release")
    ended = convert("--to", "shop", "--format", "mmrec", "-c", run.name)
    assert ended.exit_code == 0, ended.output
    assert ended.stdout.rstrip().endswith("is in shop, as mmrec reads it, with 24 interactions")
    (tmp_path / "run").rename(tmp_path / "moved")
    moved = convert("--to", "again", "--format", "mmrec", "-o", "out=moved")
    assert moved.exit_code == 0, moved.output
    assert (tmp_path / "again" / "image_feat.npy").is_file()
    assert converted("moved", "numpy", Path("array"), (), None, ())["interactions"] == 24
