from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from alignrec.aligner.evaluate.splits import Split
from alignrec.core.cross_view import CrossView
from alignrec.core.features import FeatureSet
from alignrec.core.files import write_bytes
from alignrec.core.results import Results
from alignrec.pipeline.errors import CatalogError, RunFolderError
from alignrec.pipeline.runner.arrow_files import write_arrow
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.curves import Curve, write_records
from alignrec.pipeline.runner.run_folder import RunFolder, write_set
from alignrec.pipeline.runner.shards import ShardResult, write_shard
from tests.pipeline.run_folders import finish

IDS = ["i0", "i1", "i2"]
CARD = {"token_dim": 4}
PLACE = {"type": "text", "columns": ["title"]}
SUMMARY = {"sets": {"text": {"dim": 2, "shards": ["one", "two"], "card": CARD} | PLACE}, "items": 3}


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
    finish(folder, {}, SUMMARY)
    return RunFolder(tmp_path)


def cut(run: RunFolder) -> CatalogueSplit:
    """A split of the run's items, written where its stage writes it."""
    pairs = (np.array([0, 0]), np.array([0, 2]), np.array([0, 2], np.uint8))
    written = CatalogueSplit.of(Split(1, 3, *pairs), ["u"], IDS)
    written.write(run.path / "split")
    return written


def test_paths(tmp_path: Path) -> None:
    run = RunFolder(tmp_path)
    assert run.scratch("train") == tmp_path / ".train"
    assert run.cache("hashes") == tmp_path / ".hashes.json"


def test_what_extraction_left(run: RunFolder) -> None:
    extracted = run.manifest("extract")
    assert extracted == run.read_manifest("extract/stage.json") and extracted.summary == SUMMARY
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
    finish(run.path / "extract", {}, SUMMARY)
    assert run.interactions() == table


def test_the_split_is_read_once_its_stage_is_finished(run: RunFolder) -> None:
    expected = cut(run)
    with pytest.raises(CatalogError):
        run.split()
    finish(run.path / "split", {}, {})
    assert run.split().table() == expected.table()


@pytest.mark.parametrize("origin", [None, ["trained", "trained", "content"]])
def test_a_set_that_a_stage_wrote_is_read_again(run: RunFolder, origin: list[str] | None) -> None:
    matrix = np.arange(6, dtype=np.float32).reshape(3, 2)
    written = FeatureSet("aligned", IDS, matrix, np.array([True, False, True]), origin=origin)
    write_set(written, run.path / "train" / "aligned.arrow")
    finish(run.path / "train", {}, {})
    read = run.features("aligned")
    assert (read.name, read.ids, read.key, read.origin) == ("aligned", IDS, "item_id", origin)
    np.testing.assert_array_equal(read.matrix, matrix)
    np.testing.assert_array_equal(read.valid, written.valid)


def test_curves_and_numbers_are_none_before_they_are_there(run: RunFolder) -> None:
    assert run.curves("train") == []
    assert run.results() == Results()
    write_records([{"epoch": 1, "metric": "loss", "value": 0.5}], run.path / "train" / "curves.json")
    finish(run.path / "train", {}, {})
    assert run.curves("train") == [Curve("train", "loss", None, None, ((1.0, 0.5),))]


def test_what_modalities_tell_of_one_another_is_read_of_the_manifest(run: RunFolder) -> None:
    assert run.alignment() is None
    finish(run.path / "pretrain", {}, {"alignment": {"sentence": "so", "directions": []}})
    assert run.alignment() == CrossView(sentence="so", directions=[])
    finish(run.path / "pretrain", {}, {"alignment": 3})
    with pytest.raises(RunFolderError, match=r"stage\.json: alignment: .*Delete the folder pretrain"):
        run.alignment()


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


@pytest.mark.parametrize(
    ("stage", "name", "read"),
    [
        ("extract", "items.arrow", lambda run: run.items()),
        ("extract", "interactions.arrow", lambda run: run.interactions()),
        ("extract", "rejected.parquet", lambda run: run.rejected()),
        ("extract", "shards/text/two.arrow", lambda run: run.features("text")),
        ("extract", "shards/text/one.arrow", lambda run: run.inputs()),
        ("split", "users.arrow", lambda run: run.split()),
        ("train", "aligned.arrow", lambda run: run.features("aligned")),
        ("train", "curves.json", lambda run: run.curves("train")),
        ("train", "encoder/aligner/model.safetensors", lambda run: run.saved("train", "encoder/aligner")),
        ("evaluate", "metrics.json", lambda run: run.results()),
    ],
)
def test_nothing_that_differs_from_its_hash_is_read(
    run: RunFolder, stage: str, name: str, read: Callable[[RunFolder], object]
) -> None:
    cut(run)
    write_arrow(pa.table({"user_id": ["u"]}), run.path / "extract" / "interactions.arrow")
    matrix, valid = np.ones((3, 2), np.float32), np.ones(3, np.bool_)
    write_set(FeatureSet("aligned", IDS, matrix, valid), run.path / "train" / "aligned.arrow")
    write_records([{"epoch": 1, "metric": "loss", "value": 0.5}], run.path / "train" / "curves.json")
    write_bytes(run.path / "train" / "encoder" / "aligner" / "model.safetensors", b"weights")
    write_bytes(run.path / "evaluate" / "metrics.json", b"{}")
    finish(run.path / "extract", {}, SUMMARY)
    for finished in ("split", "train", "evaluate"):
        finish(run.path / finished, {}, {})
    read(run)
    path = run.path / stage / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 16
    path.write_bytes(content)
    with pytest.raises(RunFolderError) as damaged:
        read(run)
    assert str(damaged.value) == (
        f"{path} differs from its recorded hash. Run `alignrec run`: it does the stage {stage} again."
    )


def test_what_an_item_has_several_of_is_one_vector_and_one_sequence(tmp_path: Path) -> None:
    vectors = np.array([[3, 4], [0, 2], [9, 9], [5, 0]], dtype=np.float32)
    tokens = [np.full((count, 4), count, dtype=np.float16) for count in (2, 1, 0, 3)]
    reasons = [None, None, "truncated", None]
    result = ShardResult(["a", "a", "a", "c"], vectors, reasons, reasons, tokens)
    folder = tmp_path / "extract"
    write_arrow(pa.table({"item_id": ["a", "b", "c"]}), folder / "items.arrow")
    write_shard(folder / "shards" / "photo" / "one.arrow", result)
    entry = {"dim": 2, "shards": ["one"], "type": "image", "columns": ["front", "back"], "card": CARD}
    finish(folder, {}, {"sets": {"photo": entry}, "items": 3})
    photo = RunFolder(tmp_path).inputs()["photo"]
    assert photo.valid.tolist() == [True, False, True]
    np.testing.assert_allclose(photo.pooled[0], 3.5 * np.array([0.6, 1.8]) / np.hypot(0.6, 1.8), rtol=1e-6)
    assert photo.pooled[2].tolist() == [5, 0]
    assert photo.tokens.offsets.tolist() == [0, 3, 3, 6]
    assert photo.tokens.values[np.arange(6)][:, 0].tolist() == [2, 2, 1, 3, 3, 3]
    assert (photo.kind, photo.columns) == ("image", {"front", "back"})
