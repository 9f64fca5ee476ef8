"""The finetune stage: a checkpoint learns the catalogue, and extraction reads by what it became."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from alignrec.export import load_features
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands.open_encoder import open_encoder
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError, RunFolderError
from alignrec.pipeline.runner import runner
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.chain import run, status
from alignrec.pipeline.stages.finetune import stage as finetune_stage
from alignrec.pipeline.stages.finetune.stage import PIECES, STAGE, WEIGHTS
from tests.pipeline.catalogues import write_catalogue, write_items
from tests.pipeline.pixels_demo import write_pixels_demo

pytest.importorskip("sentencepiece")

from tests.extractors.backends.beit3.checkpoints import TINY, random_model, save_published, save_word_pieces
from tests.extractors.backends.vqkd.tokenizers import CODES, save_tokenizer

QUIET = Console(quiet=True)
ITEMS = 40
TUNING = {
    "codes": 4,
    "steps": 6,
    "batch_size": 8,
    "accumulate": 2,
    "save_every": 2,
    "held_out": 0.3,
    "learning_rate": 1e-3,
    "aggregate": True,
    "classify": True,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A config for 40 items, of which one has no picture, one a broken one and one no text."""
    folder = tmp_path_factory.mktemp("shop")
    config = write_catalogue(folder, items=ITEMS, users=6)
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    rows[4]["image"] = None
    rows[5] |= {"title": None, "description": None}
    (folder / "images" / "6.png").write_bytes((folder / "images" / "6.png").read_bytes()[:300])
    write_items(folder, rows)
    (folder / "beit3").mkdir()
    save_published(folder / "beit3")
    settings = yaml.safe_load(config.read_text())
    settings["extract"] |= {"image": "beit3:beit3", "text": "beit3:mean:beit3"}
    settings["export"] = {"sets": ["image", "text", "multimodal"]}
    config.write_text(yaml.safe_dump(settings | {"finetune": TUNING}))
    return config


@pytest.fixture(scope="module")
def tuned(shop: Path) -> Path:
    """Its run folder, extracted."""
    return run(shop, "extract", console=QUIET).folder


def test_what_it_leaves_is_a_checkpoint_that_extraction_reads_by(shop: Path, tuned: Path) -> None:
    from alignrec.extractors.backends.beit3.checkpoint import load_checkpoint

    done = RunFolder(tuned).manifest("finetune")
    assert set(done.files) == {WEIGHTS, PIECES, "curves.json"}
    read = load_checkpoint(tuned / "finetune" / WEIGHTS)
    assert read.beit3.sizes == replace(TINY, words=True, codes=4)
    before = random_model().state_dict()
    moved = {name for name, weight in before.items() if not weight.equal(read.state_dict()[name])}
    assert {"beit3.text_embed.weight", "beit3.encoder.layers.0.ffn.A.fc1.weight"} <= moved
    sets = RunFolder(tuned).manifest("extract").summary["sets"]
    expected = done.files[WEIGHTS][1]
    assert {sets[m]["card"]["weights_sha256"] for m in ("image", "text")} == {expected}
    assert sets["text"]["card"]["preprocessing"]["pooling"] == "mean"
    plain = run(shop, "extract", ["finetune=null", f"out={tuned.parent / 'plain'}"], QUIET).folder
    for modality in ("image", "text"):
        mine, theirs = (RunFolder(folder).features(modality) for folder in (tuned, plain))
        assert np.array_equal(mine.valid, theirs.valid)
        assert not np.allclose(mine.matrix, theirs.matrix)


def test_it_tells_what_it_saw_and_how_well_held_out_items_are_told(tuned: Path) -> None:
    summary = RunFolder(tuned).manifest("finetune").summary
    assert (summary["pairs"], summary["unreadable"], summary["steps"]) == (ITEMS - 3, 1, 6)
    assert {(one["what"], one["beside"]) for one in summary["accuracy"]} >= {
        ("pair patches", "another item's"),
        ("pair patches", "none"),
    }
    lines = STAGE.describe(summary)
    assert lines[0] == f"finetune: {ITEMS - 3} items with picture and text, 6 steps"
    assert all("held out:" in line for line in lines[1:]) and len(lines) == len(summary["accuracy"]) + 1
    curves = {(curve.metric, curve.split) for curve in RunFolder(tuned).curves("finetune")}
    for name in ("patches", "words", "pair patches", "pair words", "patches by [CLS]", "labels of pictures"):
        assert {(f"{name} loss", "train"), (f"{name} loss", "held out")} <= curves


def test_it_is_done_until_what_decides_it_changes(shop: Path, tuned: Path) -> None:
    def states(**changes: Any) -> dict[str, str]:
        overrides = [f"{key.replace('__', '.')}={value}" for key, value in changes.items()]
        return {one.stage: one.state for one in status(load_config(shop, overrides))}

    assert (states()["finetune"], states()["extract"]) == ("done", "done")
    for changes in (
        {"finetune__codes": 3},
        {"finetune__steps": 5},
        {"finetune__classify": False},
        {"seed": 9},
    ):
        assert (states(**changes)["finetune"], states(**changes)["extract"]) == ("stale", "stale")
    assert "finetune" not in states(finetune="null")


def test_what_was_tuned_before_labels_were_there_stays(shop: Path) -> None:
    settings = load_config(shop, ["finetune.classify=false"])
    context = StageContext(settings, STAGE, {}, console=QUIET)
    assert "classify" not in STAGE.plan(context).inputs["settings"]


class _Killed(BaseException):
    """Stands for a signal that ends the process."""


def test_killed_after_any_state_it_ends_in_the_same_bytes(
    shop: Path, tuned: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    save, left = Checkpoint.save, [0]

    def save_and_die(self: Checkpoint, state: dict[str, Any]) -> None:
        save(self, state)
        left[0] += 1
        raise _Killed

    overrides = [f"out={tmp_path / 'killed'}"]
    monkeypatch.setattr(Checkpoint, "save", save_and_die)
    for kills in range(1, 5):  # once with its codebook, then after each round
        with pytest.raises(_Killed):
            run(shop, "finetune", overrides, QUIET)
        assert left[0] == kills
        state = next(one for one in status(load_config(shop, overrides)) if one.stage == "finetune")
        assert state.state == "partial" and "mid-training" in state.why
    monkeypatch.setattr(Checkpoint, "save", save)
    run(shop, "finetune", overrides, QUIET)
    for name in (WEIGHTS, PIECES, "curves.json", "stage.json"):
        mine, whole = (folder / "finetune" / name for folder in (tmp_path / "killed", tuned))
        assert mine.read_bytes() == whole.read_bytes(), name
    assert not list((tmp_path / "killed").glob(".finetune*"))


def test_the_disk_is_looked_at_first_and_what_is_needed_is_known_within_a_tenth(
    shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    most = [0]
    out = tmp_path / "out"

    def used() -> int:
        return sum(path.stat().st_size for path in out.rglob("*") if path.is_file())

    save = Checkpoint.save

    def watched(self: Checkpoint, state: dict[str, Any]) -> None:
        save(self, state)
        # While a state is written, the one before it is there too.
        most[0] = max(most[0], used() + self.path.stat().st_size)

    monkeypatch.setattr(Checkpoint, "save", watched)
    monkeypatch.setattr(finetune_stage, "_SLACK", 0)
    monkeypatch.setattr(finetune_stage, "check_disk", lambda _folder, needed: asked.append(needed))
    run(shop, "finetune", [f"out={out}"], QUIET)
    assert len(asked) == 1 and abs(most[0] / asked[0] - 1) < 0.1

    def full(folder: Path, _needed: int) -> None:
        assert not list(folder.glob(".finetune/*"))
        raise RunFolderError("the disk is full")

    monkeypatch.setattr(finetune_stage, "check_disk", full)
    with pytest.raises(RunFolderError, match="full"):
        run(shop, "finetune", [f"out={tmp_path / 'other'}"], QUIET)
    assert runner.check_disk is not full


def test_a_pair_is_what_its_column_and_template_hold(shop: Path, tuned: Path, tmp_path: Path) -> None:
    settings = yaml.safe_load(shop.read_text())
    pair = {"type": "pair", "columns": "image", "template": "{title}. {description}"}
    settings["catalog"] |= {"items": settings["catalog"]["items"] | {"image": None, "text": None}}
    settings["catalog"]["modalities"] = {"both": pair}
    settings["extract"] = {"pair": "beit3:beit3", "max_rejected": 0.5}
    settings["export"] = {"sets": ["both"]}
    config = shop.with_name("pair.yaml")
    config.write_text(yaml.safe_dump(settings))
    run(config, "extract", [f"out={tmp_path / 'out'}"], QUIET)
    names = (tmp_path / "out" / "finetune" / WEIGHTS, tuned / "finetune" / WEIGHTS)
    assert names[0].read_bytes() == names[1].read_bytes()


@pytest.mark.parametrize("command", ["encode", "extend"])
def test_new_items_are_read_by_what_it_became(shop: Path, tuned: Path, tmp_path: Path, command: str) -> None:
    """From pixels and word pieces: an item with a picture alone and one with a text alone among them."""
    release = run(shop, console=QUIET).release
    assert release is not None
    numbers = (3, 4, 5, 10)
    rows = [json.loads((shop.parent / "items.jsonl").read_text().splitlines()[n]) for n in numbers]
    new_ids = [f"{'new ' * (command == 'extend')}i{number}" for number in numbers]
    rows = [row | {"item_id": item_id} for row, item_id in zip(rows, new_ids, strict=True)]
    items = write_items(shop.parent, rows, f"{command}.jsonl")
    folder = tuned / "finetune"
    names = {"image": f"beit3:{folder}", "text": f"beit3:mean:{folder}"}
    options = [part for name, model in names.items() for part in ("--extractor", f"{name}={model}")]
    arguments = [command, str(items), "--release", str(release), "--out", str(tmp_path / "out")]
    ended = CliRunner().invoke(app, [*arguments, *options])
    assert ended.exit_code == 0, ended.exception or ended.output
    # From Python, in memory, too.
    given = {
        "images": [row["image"] and shop.parent / row["image"] for row in rows],
        "texts": [row if row["title"] else None for row in rows],
    }
    memory = open_encoder(release, extractors=names, device="cpu").encode(**given)
    for name in ("image", "text", "multimodal"):
        old, valid = load_features(release, name).align_to([f"i{number}" for number in numbers])
        new, there = load_features(tmp_path / "out" / "release", name).align_to(new_ids)
        assert np.array_equal(valid, there) and valid.sum() == (4 if name == "multimodal" else 3)
        np.testing.assert_allclose(new, old, atol=1e-5)
        np.testing.assert_allclose(memory[name].matrix, old, atol=1e-5)
    other = [part.replace(str(folder), str(shop.parent / "beit3")) for part in options]
    refused = CliRunner().invoke(app, [*arguments, *other])
    assert refused.exit_code != 0 and "weights_sha256" in str(refused.exception)
    unnamed = CliRunner().invoke(app, arguments)
    assert unnamed.exit_code != 0 and "--extractor image=" in str(unnamed.exception)


def test_a_config_without_the_section_has_no_such_stage(shop: Path) -> None:
    with pytest.raises(ConfigError, match="no finetune stage: its config has no section finetune"):
        run(shop, "finetune", ["finetune=null"], QUIET)


@pytest.mark.parametrize(
    "extract",
    [
        {},
        {"image": "beit3:x"},
        {"image": "beit3:x", "text": "beit3:y"},
    ],
    ids=["none", "pictures alone", "two checkpoints"],
)
def test_one_checkpoint_has_to_read_pictures_and_texts(extract: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="finetune needs one checkpoint that reads one column"):
        Config.model_validate({"catalog": {"items": {"path": "x"}}, "extract": extract, "finetune": {}})


def test_too_many_codes_are_refused_with_what_is_possible(shop: Path, tmp_path: Path) -> None:
    from alignrec.aligner.errors import FeatureError

    with pytest.raises(FeatureError, match=r"finetune\.codes: 512 visual codes .* use at most 15"):
        run(shop, "finetune", ["finetune.codes=512", f"out={tmp_path / 'out'}"], QUIET)


def test_a_tokenizer_of_beit_v2_gives_the_codes(shop: Path, tmp_path: Path) -> None:
    """Its file's numbers decide, and the head that predicts its codes goes on from what a checkpoint has."""
    from alignrec.extractors.backends.beit3.checkpoint import load_checkpoint, save_checkpoint

    (tmp_path / "beit3").mkdir()
    save_word_pieces(tmp_path / "beit3")
    before = random_model(replace(TINY, words=True, codes=CODES))
    save_checkpoint(before, tmp_path / "beit3" / "one.safetensors")
    models = [f"extract.image=beit3:{tmp_path / 'beit3'}", f"extract.text=beit3:{tmp_path / 'beit3'}"]
    asked = [f"finetune.teacher=vqkd:{save_tokenizer(tmp_path)}", f"finetune.codes={CODES}", *models]
    asked += [f"out={tmp_path / 'out'}", "finetune.learning_rate=1e-5"]
    run(shop, "finetune", asked, QUIET)
    after = load_checkpoint(tmp_path / "out" / "finetune" / WEIGHTS)
    moved = (after.mim_head.weight - before.mim_head.weight).detach().abs().max()
    assert 0 < float(moved) < 1e-3

    assert status(load_config(shop, asked))[0].state == "done"
    save_tokenizer(tmp_path, seed=1)
    assert status(load_config(shop, asked))[0].state == "stale"


@pytest.mark.slow
def test_on_the_demo_a_tiny_model_learns_what_contents_tell_of_one_another(tmp_path: Path) -> None:
    """From random weights; on items held out, beside true, other and no content."""
    config = write_pixels_demo(tmp_path, seed=11, steps=1200)
    done = run(config, "finetune", console=QUIET).stages["finetune"]
    found = {(one["what"], one["beside"]): one for one in done.summary["accuracy"]}
    for what in ("pair patches", "pair words"):
        for beside in ("another item's", "none"):
            assert found[what, beside]["low"] > 0, found


def test_its_word_pieces_are_those_of_the_checkpoint(tuned: Path, tmp_path: Path) -> None:
    assert (tuned / "finetune" / PIECES).read_bytes() == save_word_pieces(tmp_path).read_bytes()
