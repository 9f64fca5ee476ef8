from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alignrec.aligner.pretrain.item_encoder import load_encoder
from alignrec.aligner.pretrain.linear_encoder import LinearEncoder
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run, status
from alignrec.pipeline.stages.pretrain import STAGE
from tests.pipeline.small_models import write_quick_catalogue

QUIET = Console(quiet=True)
OVERRIDES = ["export.sets=[multimodal]", "catalog.interactions=null", "pretrain.epochs=4"]


class _Killed(BaseException):
    """Stands for a signal that ends the process."""


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run up to extraction; the config's path."""
    config = write_quick_catalogue(tmp_path_factory.mktemp("extracted"), items=20, users=3)
    run(config, "extract", OVERRIDES, QUIET)
    return config


@pytest.fixture
def own(extracted: Path, tmp_path: Path) -> Path:
    shutil.copytree(extracted.parent, tmp_path / "own")
    return tmp_path / "own" / extracted.name


def _kill_after(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    save = Checkpoint.save

    def save_and_die(self: Checkpoint, state: dict[str, Any]) -> None:
        save(self, state)
        if state["epoch"] == epoch:
            raise _Killed

    monkeypatch.setattr(Checkpoint, "save", save_and_die)


def _files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


@pytest.mark.parametrize("vector", ["filled", "cls", "residual"])
def test_a_stopped_training_is_partial_goes_on_and_ends_in_the_same_bytes(
    own: Path, monkeypatch: pytest.MonkeyPatch, vector: str
) -> None:
    overrides = [*OVERRIDES, f"pretrain.vector={vector}"]
    clean = _files(run(own, "pretrain", overrides, QUIET).folder / "pretrain")
    shutil.rmtree(own.parent / "run" / "pretrain")
    for epoch in (1, 3):
        with monkeypatch.context() as patch, pytest.raises(_Killed):
            _kill_after(patch, epoch)
            run(own, "pretrain", overrides, QUIET)
        state = status(load_config(own, overrides))[1]
        assert (state.state, state.why) == ("partial", "stopped in mid-training")
    seen: list[int] = []
    save = Checkpoint.save
    monkeypatch.setattr(
        Checkpoint, "save", lambda self, state: (seen.append(state["epoch"]), save(self, state))
    )
    result = run(own, "pretrain", overrides, QUIET)
    assert seen == [4]
    assert _files(result.folder / "pretrain") == clean
    assert not (result.folder / ".pretrain").exists()


def test_a_checkpoint_of_other_settings_is_not_resumed(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = [*OVERRIDES, "pretrain.learning_rate=0.01"]
    clean = _files(run(own, "pretrain", other, QUIET).folder / "pretrain")
    shutil.rmtree(own.parent / "run" / "pretrain")
    with monkeypatch.context() as patch, pytest.raises(_Killed):
        _kill_after(patch, 2)
        run(own, "pretrain", OVERRIDES, QUIET)
    assert _files(run(own, "pretrain", other, QUIET).folder / "pretrain") == clean


def test_a_damaged_set_is_made_again(own: Path) -> None:
    result = run(own, "pretrain", OVERRIDES, QUIET)
    whole = _files(result.folder / "pretrain")
    damaged = result.folder / "pretrain" / "encoder" / "multimodal" / "model.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert "model.safetensors" in status(load_config(own, OVERRIDES))[1].why
    run(own, "pretrain", OVERRIDES, QUIET)
    assert _files(result.folder / "pretrain") == whole


def test_its_results_are_described_and_raw_sets_need_none(extracted: Path) -> None:
    assert STAGE.skip(load_config(extracted, OVERRIDES)) == ""
    why = STAGE.skip(load_config(extracted, ["export.sets=[image, text]"]))
    assert why == "export.sets names raw sets alone; add multimodal to it."
    summary = {"sets": {"multimodal": {"dim": 8, "valid": 20}}, "epochs": 4}
    assert STAGE.describe(summary) == ["pretrain: multimodal 20 × 8 after 4 epochs"]


def test_a_linear_encoder_is_written_as_any_other_and_gives_its_set_again(own: Path) -> None:
    result = run(own, "pretrain", [*OVERRIDES, "pretrain.vector=linear"], QUIET)
    folder = RunFolder(result.folder)
    found, inputs = folder.features("multimodal"), folder.inputs()
    encoder = load_encoder(folder.saved("pretrain", "encoder/multimodal"))
    assert isinstance(encoder, LinearEncoder)
    matrix, valid = encoder.encode(inputs)
    np.testing.assert_array_equal(matrix, found.matrix)
    np.testing.assert_array_equal(valid, found.valid)
    alignment = folder.manifest("pretrain").summary["alignment"]
    assert [(d["given"], d["wanted"]) for d in alignment["directions"]] == []
    assert alignment["sentence"].startswith("nothing to align: no two modalities share enough items")
    first = _files(result.folder / "pretrain")
    shutil.rmtree(result.folder / "pretrain")
    assert (
        _files(run(own, "pretrain", [*OVERRIDES, "pretrain.vector=linear"], QUIET).folder / "pretrain")
        == first
    )
