from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.aligner.evaluate.splits import Split
from alignrec.core.features import FeatureSet
from alignrec.core.results import Results
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.arrow_files import write_arrow
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.curves import Curve, write_records
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.run_folder import RunFolder, write_set
from alignrec.pipeline.runner.shards import ShardResult, write_shard

IDS = ["i0", "i1", "i2"]
EXTRACTED = StageManifest(
    "extract", {}, {}, {"sets": {"text": {"dim": 2, "shards": ["one", "two"]}}, "items": 3}
)


@pytest.fixture
def run(tmp_path: Path) -> RunFolder:
    """A run that was extracted: three items in two shards, the text of one of them rejected."""
    folder = tmp_path / "extract"
    write_arrow(pa.table({"item_id": IDS}), folder / "items.arrow")
    pq.write_table(pa.table({"item_id": ["i1"], "detail": ["no text"]}), folder / "rejected.parquet")
    shards = {
        "one": ShardResult(["i2"], np.array([[5, 6]], np.float32), [None], [None]),
        "two": ShardResult(
            ["i0", "i1"], np.array([[1, 2], [0, 0]], np.float32), [None, "empty"], [None, "no text"]
        ),
    }
    for key, shard in shards.items():
        write_shard(folder / "shards" / "text" / f"{key}.arrow", shard)
    EXTRACTED.write(folder / "stage.json")
    return RunFolder(tmp_path)


def cut(run: RunFolder) -> CatalogueSplit:
    """A split of the run's items, written where its stage writes it."""
    pairs = (np.array([0, 0]), np.array([0, 2]), np.array([0, 2], np.uint8))
    written = CatalogueSplit.of(Split(1, 3, *pairs), ["u"], IDS)
    written.write(run.path / "split")
    return written


def test_paths(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.folder("train") == tmp_path / "train"
    assert run.scratch("train") == tmp_path / ".train"
    assert run.cache("hashes") == tmp_path / ".hashes.json"
    assert run.metrics == tmp_path / "evaluate" / "metrics.json"


def test_what_extraction_left(run: RunFolder) -> None:
    assert run.manifest("extract") == run.read_manifest("extract/stage.json") == EXTRACTED
    assert run.items() == IDS
    assert run.rejected() == [{"item_id": "i1", "detail": "no text"}]
    text = run.features("text")
    assert (text.name, text.key, text.ids, text.valid.tolist()) == (
        "text",
        "item_id",
        IDS,
        [True, False, True],
    )
    np.testing.assert_array_equal(text.matrix, np.array([[1, 2], [0, 0], [5, 6]], np.float32))
    assert list(run.inputs()) == ["text"]


def test_interactions_are_there_or_not(run: RunFolder) -> None:
    assert run.interactions() is None
    table = pa.table({"user_id": ["u"], "item_id": ["i0"]})
    write_arrow(table, run.path / "extract" / "interactions.arrow")
    assert run.interactions() == table


def test_the_split_is_read_once_its_stage_is_finished(run: RunFolder) -> None:
    expected = cut(run)
    with pytest.raises(CatalogError):
        run.split()
    StageManifest("split", {}, {}, {}).write(run.path / "split" / "stage.json")
    assert run.split().table() == expected.table()


@pytest.mark.parametrize("origin", [None, ["trained", "trained", "content"]])
def test_a_set_that_a_stage_wrote_is_read_again(run: RunFolder, origin: list[str] | None) -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    written = FeatureSet("aligned", IDS, matrix, np.array([True, False, True]), origin=origin)
    write_set(written, run.path / "train" / "aligned.arrow")
    read = run.features("aligned")
    assert (read.name, read.ids, read.key, read.origin) == ("aligned", IDS, "item_id", origin)
    np.testing.assert_array_equal(read.matrix, matrix)
    np.testing.assert_array_equal(read.valid, written.valid)


def test_curves_and_numbers_are_none_before_they_are_there(run: RunFolder) -> None:
    assert run.curves("train") == []
    assert run.results() == Results()
    write_records([{"epoch": 1, "metric": "loss", "value": 0.5}], run.path / "train" / "curves.json")
    assert run.curves("train") == [Curve("train", "loss", None, None, ((1.0, 0.5),))]


@pytest.mark.parametrize("accessor", ["split", "inputs"])
def test_a_stage_that_is_not_finished_is_named(tmp_path: Path, accessor: str) -> None:
    stage = {"split": "split", "inputs": "extract"}[accessor]
    with pytest.raises(CatalogError) as early:
        getattr(RunFolder(tmp_path), accessor)()
    assert str(early.value) == (
        f"{tmp_path} holds no finished {stage} stage. Run `alignrec run --until {stage}` first."
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("image", "has no image features: extraction made text."),
        ("multimodal", "has no multimodal features. Run `alignrec pretrain` first."),
        ("user", "has no user features. Run `alignrec train` first."),
    ],
)
def test_a_set_that_no_stage_made_is_named(run: RunFolder, name: str, message: str) -> None:
    with pytest.raises(CatalogError) as absent:
        run.features(name)
    assert str(absent.value) == f"{run.path} {message}"
