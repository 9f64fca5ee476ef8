"""Several random splits: what they are, what is trained on each, that kills change nothing."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.pooling import average_users
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TEST, TRAIN
from alignrec.aligner.train.training import train
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run, status
from alignrec.pipeline.stages.evaluate.pooled_evaluation import split_seeds
from alignrec.pipeline.stages.split import cut_interactions
from tests.pipeline.catalogues import write_catalogue
from tests.pipeline.small_models import write_quick_catalogue

QUIET = Console(quiet=True)
ONE = [
    "export.sets=null",
    "evaluate={k: [2, 5], seeds: [1, 2]}",
    "train={dim: 8, epochs: 2, device: cpu}",
]
SEVERAL = [*ONE, "evaluate.splits=2"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was evaluated on two splits; its config."""
    config = write_quick_catalogue(tmp_path_factory.mktemp("pooled"), items=24, users=30)
    run(config, "evaluate", SEVERAL, QUIET)
    return config


@pytest.fixture
def trained(finished: Path, tmp_path: Path) -> Path:
    """The same run up to training; its config."""
    left_out = shutil.ignore_patterns("evaluate", ".*")
    shutil.copytree(finished.parent, tmp_path / "own", ignore=left_out)
    return tmp_path / "own" / finished.name


def _pooled(config: Path) -> Path:
    return config.parent / "run" / "evaluate" / "pooled.json"


def test_each_split_is_the_one_that_a_run_of_its_seed_cuts(finished: Path) -> None:
    config, folder = load_config(finished, SEVERAL), RunFolder(finished.parent / "run")
    assert split_seeds(config) == [None, 2]
    ours, seeds = [], config.evaluate.seeds
    multimodal = folder.features("multimodal")
    for seed in (1, 2):
        other = config.model_copy(update={"seed": seed})
        split = cut_interactions(other, folder.items(), folder.interactions()).split
        found = []
        for training in seeds:
            done = train(multimodal.matrix, multimodal.valid, split, config.train, training)
            found.append(evaluate(dot_scorer(done.user, done.aligned), split, TEST, (5,)))
        values = np.mean([one.values["recall", 5] for one in found], axis=0)
        ours.append(type(found[0])(found[0].users, {("recall", 5): values}))
    (value,) = [
        e.value
        for e in folder.pooled_results()
        .select(protocol="top-k", split="test", k=5, metric="recall")
        .estimates
        if (e.subject, e.against) == ("aligned", None)
    ]
    assert value == pytest.approx(average_users(ours).mean("recall", 5))


def test_everything_is_compared_before_and_after_training(finished: Path) -> None:
    results = RunFolder(finished.parent / "run").pooled_results()
    assert {"top-k", "zero-shot", "item-cf"} <= set(results.protocols)
    for protocol, subject, rivals in (
        ("top-k", "aligned", {"aligned without content", "EASE", "popularity", "item-CF"}),
        ("zero-shot", "multimodal", {"concatenation", "popularity"}),
        ("item-cf", "multimodal", {"whitened concatenation", "co-occurrence"}),
    ):
        records = results.select(protocol=protocol, split="test", subject=subject).records
        assert rivals <= {r.against for r in records if r.against}
        assert all(r.low is not None for r in records if r.aggregate != "std")
    for share in (0.1, 0.2, 0.5):
        records = results.select(protocol="thinned", share=share, split="test").records
        pairs = {(r.subject, r.against) for r in records}
        assert ("EASE with content", "EASE") in pairs
        # At one share there are trainings, and ours is what was trained.
        ours = {("multimodal", "EASE")}
        if share == 0.2:
            ours = {
                ("aligned", name) for name in ("multimodal", "EASE", "LightGCN", "aligned without content")
            }
        assert ours <= pairs
    assert "share interactions" in results.definitions["splits"]


def test_the_run_s_own_numbers_are_those_of_one_split(finished: Path, trained: Path) -> None:
    assert status(load_config(trained, ONE))[3].state == "done"
    run(trained, "evaluate", ONE, QUIET)
    single = (trained.parent / "run" / "evaluate" / "metrics.json").read_bytes()
    assert single == (finished.parent / "run" / "evaluate" / "metrics.json").read_bytes()
    assert not _pooled(trained).exists()
    # What has more serves a run that asks for less.
    assert status(load_config(finished, ONE))[4].state == "done"
    changed = status(load_config(finished, [*SEVERAL, "evaluate.splits=3"]))[4]
    assert (changed.state, changed.why) == ("stale", "changed: splits and their seeds")


def test_stopped_in_mid_training_it_ends_in_the_same_bytes(
    finished: Path, trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, left = Checkpoint.save, {"epochs": 0}

    def save_and_stop(self: Checkpoint, state: dict[str, Any]) -> None:
        save(self, state)
        left["epochs"] -= 1
        if not left["epochs"]:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_and_stop)
    for left["epochs"] in (5, 7):
        with pytest.raises(KeyboardInterrupt):
            run(trained, "evaluate", SEVERAL, QUIET)
    run(trained, "evaluate", SEVERAL, QUIET)
    assert _pooled(trained).read_bytes() == _pooled(finished).read_bytes()
    controls = trained.parent / "run" / ".control"
    assert len(list(controls.iterdir())) == 2 * 2 * 2, "whole and thinned, one a split and seed"


def test_other_shares_train_no_control_again(
    finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished.parent, tmp_path / "own")
    config = tmp_path / "own" / finished.name
    before = json.loads(_pooled(config).read_text())["records"]
    save, saved = Checkpoint.save, set()

    def save_and_note(self: Checkpoint, state: dict[str, Any]) -> None:
        save(self, state)
        saved.add(self.path.parent.name)

    monkeypatch.setattr(Checkpoint, "save", save_and_note)
    run(config, "evaluate", [*SEVERAL, "evaluate.thinned=[0.4]"], QUIET)
    assert saved == {".evaluate-full"}, "AlignRec and LightGCN are trained, whose pieces are gone by now"
    after = json.loads(_pooled(config).read_text())["records"]
    assert [r for r in before if r["share"] is None] == [r for r in after if r["share"] is None]
    assert {r["share"] for r in before} == {None, 0.1, 0.2, 0.5}
    assert {r["share"] for r in after} == {None, 0.4}


def test_the_command_line_asks_for_splits_and_shows_them_together(finished: Path) -> None:
    settings = [word for override in ONE for word in ("-o", override)]
    command = ["evaluate", "--splits", "2", "--seeds", "2", "-c", str(finished), *settings]
    answer = CliRunner().invoke(app, command)
    assert answer.exit_code == 0 and "evaluate: up to date" in answer.stderr
    assert "top-k, several splits together" in answer.stderr
    assert "several splits together: 2 random splits of the same interactions" in answer.stderr
    assert "Taken over 2 random splits of the same interactions." in " ".join(answer.stderr.split())


def test_report_and_release_have_them_too(finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished.parent, tmp_path / "own")
    config = tmp_path / "own" / finished.name
    run(config, "export", SEVERAL, QUIET)
    page = (config.parent / "run" / "report.html").read_text("utf-8")
    assert "Recommendation, several splits together" in page
    assert "2 random splits of the same interactions: the run&#39;s own" in page
    assert (config.parent / "run" / "release" / "pooled.json").read_bytes() == _pooled(config).read_bytes()


def test_items_are_held_back_anew_on_each_split(tmp_path: Path) -> None:
    path = write_quick_catalogue(tmp_path, items=24, users=30)
    settings = [*SEVERAL, "split.method=new-items", "evaluate.thinned=[]", "evaluate.k=[1]"]
    run(path, "evaluate", settings, QUIET)
    config, folder = load_config(path, settings), RunFolder(path.parent / "run")
    held = []
    for seed in (1, 2):
        other = config.model_copy(update={"seed": seed})
        split = cut_interactions(other, folder.items(), folder.interactions()).split
        held.append(set(split.item[split.label == TEST].tolist()))
        assert held[-1] and not held[-1] & set(split.item[split.label == TRAIN].tolist())
    assert held[0] != held[1]
    results = folder.pooled_results().select(split="test", metric="recall", subject="aligned")
    cold = results.select(protocol="cold-start")
    assert {"aligned without content", "popularity", "EASE with content"} <= {r.against for r in cold.records}


def test_only_a_random_split_can_be_drawn_again(tmp_path: Path) -> None:
    config = write_catalogue(tmp_path)
    with pytest.raises(ConfigError, match=r"evaluate\.splits above 1 .* split\.method random or new-items"):
        load_config(config, [*SEVERAL, "split.method=leave-one-out"])
    with pytest.raises(ConfigError, match=r"evaluate\.splits above 1 .* export\.sets"):
        load_config(config, ["evaluate.splits=2"])
