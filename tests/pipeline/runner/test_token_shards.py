from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alignrec.aligner.pretrain.batches import gather
from alignrec.core.features import FeatureSet
from alignrec.extractors.registry import load_extractor
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.runner import planned
from alignrec.pipeline.runner.shards import ShardResult, read_shard, read_tokens, write_shard
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.runner.token_shards import ShardedRows, read_modality
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.extract import STAGE
from alignrec.pipeline.stages.extract.extraction import load_job
from tests.pipeline.catalogues import picture, write_catalogue

QUIET = Console(quiet=True)


def _shard(lengths: list[int], first: int) -> ShardResult:
    tokens, value = [], first
    for length in lengths:
        tokens.append(np.arange(value, value + 2 * length, dtype=np.float16).reshape(length, 2))
        value += 2 * length
    none: list[str | None] = [None] * len(lengths)
    ids = [f"{first}-{n}" for n in range(len(lengths))]
    return ShardResult(ids, np.zeros((len(lengths), 3), dtype=np.float32), none, none, tokens)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=4), min_size=1, max_size=5), st.data())
def test_rows_of_many_files_index_like_one_matrix(
    tmp_path_factory: pytest.TempPathFactory, lengths: list[list[int]], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    results = [_shard(part, 100 * n) for n, part in enumerate(lengths)]
    paths = [folder / f"{n}.arrow" for n in range(len(results))]
    for path, result in zip(paths, results, strict=True):
        write_shard(path, result)
    whole = np.concatenate([sequence for result in results for sequence in result.tokens or []])
    rows = ShardedRows(paths, [sum(part) for part in lengths], 2)
    assert rows.shape == whole.shape and len(rows) == len(whole)
    assert np.array_equal(rows[1:7], whole[1:7])
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(whole), max_size=len(whole))), dtype=bool)
    assert np.array_equal(rows[keep], whole[keep])
    if len(whole):
        index = np.array(data.draw(st.lists(st.integers(0, len(whole) - 1))), dtype=np.int64)
        assert np.array_equal(rows[index], whole[index])


def test_a_shard_gives_back_its_tokens_without_copying_them(tmp_path: Path) -> None:
    write_shard(tmp_path / "a.arrow", _shard([2, 0, 1], 0))
    values, lengths, ids = read_tokens(tmp_path / "a.arrow")
    assert values.tolist() == [[0, 1], [2, 3], [4, 5]] and values.dtype == np.float16
    assert not values.flags.owndata
    assert lengths.tolist() == [2, 0, 1] and ids == ["0-0", "0-1", "0-2"]
    assert read_shard(tmp_path / "a.arrow").tokens is None


def test_inputs_hold_what_the_models_say(tmp_path: Path) -> None:
    config = write_catalogue(tmp_path)
    (tmp_path / "images" / "4.png").write_bytes(picture(4)[:-200])
    result = run(config, "extract", ["export.sets=[multimodal]"], QUIET)
    inputs = RunFolder(result.folder).inputs()
    for name in ("image", "text"):
        features = RunFolder(result.folder).features(name)
        assert np.array_equal(inputs[name].pooled, features.matrix)
        assert np.array_equal(inputs[name].valid, features.valid)
    offsets, values = inputs["text"].tokens.offsets, inputs["text"].tokens.values
    model = load_extractor("packaged:all-minilm-l6-v2", "text")
    text = "thing 3. " + "a fine thing " * 3 + "a fine thing"
    expected = model.embed([model.prepare(text)], tokens=True)
    assert expected.tokens is not None and expected.mask is not None
    got = values[offsets[3] : offsets[4]].astype(np.float32)
    assert np.allclose(got, expected.tokens[0][expected.mask[0]], atol=2e-3, rtol=2e-3)
    assert np.diff(inputs["image"].tokens.offsets).tolist() == [49, 49, 49, 49, 0, 49]


def test_the_disk_estimate_counts_the_tokens(tmp_path: Path) -> None:
    settings = load_config(write_catalogue(tmp_path), ["export.sets=[multimodal]"])
    work = planned(StageContext(settings, STAGE, {})).plan.details
    estimate = {job.name: 6 * job.bytes_an_item(load_job(work.engine, job)) for job in work.jobs}
    work.engine.close()
    folder = run(settings, "extract", console=QUIET).folder / "extract" / "shards"
    for modality, expected in estimate.items():
        written = sum(path.stat().st_size for path in (folder / modality).iterdir())
        assert 0.6 * written < expected < 1.4 * written


def test_a_run_resumes_in_the_midst_of_tokens_and_without_need_keeps_none(tmp_path: Path) -> None:
    config = write_catalogue(tmp_path)
    first = run(config, "extract", ["export.sets=[multimodal]"], QUIET)
    shards = sorted((first.folder / "extract" / "shards").rglob("*.arrow"))
    before = [shard.read_bytes() for shard in shards]
    (first.folder / "extract" / "stage.json").unlink()
    shards[0].unlink()
    run(config, "extract", ["export.sets=[multimodal]"], QUIET)
    assert [shard.read_bytes() for shard in shards] == before
    run(config, "extract", ["export.sets=[image]"], QUIET)
    kept = sorted((first.folder / "extract" / "shards").rglob("*.arrow"))
    assert sum(p.stat().st_size for p in kept) < 0.1 * sum(len(data) for data in before)


@pytest.mark.parametrize("damaged", [[5], [0, 1, 2, 3, 4]])
def test_pictures_alone_in_their_shard_are_rejections(
    tmp_path: Path, damaged: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("alignrec.pipeline.runner.shards.MAX_ITEMS", 1)
    config = write_catalogue(tmp_path)
    for number in damaged:
        (tmp_path / "images" / f"{number}.png").write_bytes(picture(number)[:-200])
    result = run(config, "extract", ["export.sets=[multimodal]", "extract.max_rejected=1"], QUIET)
    folder = RunFolder(result.folder)
    assert [row["reason"] for row in folder.rejected()] == ["truncated"] * len(damaged)
    inputs = folder.inputs()["image"]
    kept = [number not in damaged for number in range(6)]
    assert inputs.valid.tolist() == kept and inputs.pooled.shape == (6, 1280)
    assert inputs.tokens.values.shape == (49 * sum(kept), 1280)
    assert np.diff(inputs.tokens.offsets).tolist() == [49 * one for one in kept]
    batch = gather({"image": inputs}, np.array(damaged), most=8)["image"]
    assert not batch.mask.any() and not batch.tokens.any()


@pytest.mark.parametrize("lengths", [[], [[0, 0]], [[0], [0, 0]], [[], [1]]])
def test_without_tokens_a_catalogue_has_their_width(tmp_path: Path, lengths: list[list[int]]) -> None:
    results = [_shard(part, 100 * n) for n, part in enumerate(lengths)]
    folder = tmp_path / "shards" / "text"
    for n, result in enumerate(results):
        write_shard(folder / f"{n}.arrow", result)
    ids = [item_id for result in results for item_id in result.item_ids]
    none = FeatureSet("text", ids, np.zeros((len(ids), 3), np.float32), np.zeros(len(ids), np.bool_))
    inputs = read_modality(tmp_path, none, [str(n) for n in range(len(results))], 2)
    total = sum(map(sum, lengths))
    assert inputs.tokens.values.shape == (total, 2) and inputs.tokens.values[:5].shape == (total, 2)
    assert np.diff(inputs.tokens.offsets).tolist() == [one for part in lengths for one in part]
    lost = inputs.without(np.ones(len(ids), dtype=np.bool_))
    assert lost.tokens.values.shape == (0, 2) and not lost.valid.any()
    if ids:
        assert gather({"text": lost}, np.arange(len(ids)), most=4)["text"].tokens.shape == (len(ids), 1, 2)
