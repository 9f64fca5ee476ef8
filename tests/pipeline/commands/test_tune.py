"""The search for settings: its log, what it looks at and when, and that it goes on where it was stopped."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from alignrec.aligner.errors import AlignerError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TEST
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import train
from alignrec.aligner.trainer import Trainer
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands import tune as module
from alignrec.pipeline.commands.tune import Confirmation, Log, Trial, tune
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run
from tests.pipeline.catalogues import write_catalogue
from tests.pipeline.small_models import write_quick_catalogue

QUIET = Console(quiet=True)
OVERRIDES = ["export.sets=null", "evaluate.k=[2, 5]", "train={dim: 8, epochs: 3, device: cpu}"]
TRIALS = 4


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = write_quick_catalogue(tmp_path_factory.mktemp("pretrained"), items=24, users=30)
    run(config, "pretrain", OVERRIDES, QUIET)
    return config


@pytest.fixture
def own(pretrained: Path, tmp_path: Path) -> Path:
    shutil.copytree(pretrained.parent, tmp_path / "own")
    return tmp_path / "own" / pretrained.name


def _search(config: Path, trials: int = TRIALS, *more: str) -> Log:
    return tune(load_config(config, [*OVERRIDES, *more]), trials, QUIET)


def _file(config: Path) -> Path:
    (path,) = (config.parent / "run" / "tune").iterdir()
    return path


def test_the_log_tells_every_trial_and_validation_chooses(own: Path) -> None:
    log = _search(own)
    assert Log.model_validate_json(_file(own).read_bytes()) == log
    config = load_config(own, OVERRIDES)
    assert len(log.trials) == TRIALS and log.trials[0].settings == config.train
    scores = [trial.validation["recall@20"] for trial in log.trials]
    assert log.ranked == sorted(range(1, TRIALS + 1), key=lambda number: (-scores[number - 1], number))
    assert [(c.trial, c.seed) for c in log.confirmations] == [(n, s) for n in log.ranked[:3] for s in (2, 3)]
    means = {number: np.mean(log.scores(number)) for number in log.ranked[:3]}
    assert means[log.chosen] == max(means.values()) and log.winner == log.trials[log.chosen - 1]

    catalogue = RunFolder(own.parent / "run").split()
    features = RunFolder(own.parent / "run").features("multimodal")
    for number, trial in enumerate(log.trials, 1):
        done = train(
            features.matrix,
            features.valid,
            catalogue.split,
            trial.settings,
            trial.seed,
        )
        assert (trial.seed, trial.failed) == (1, None)
        assert (trial.epochs, trial.best_epoch) == (len(done.fit.curves), done.fit.best_epoch)
        assert trial.validation == done.validation
        if number == log.chosen:
            scorer = dot_scorer(done.user, done.aligned)
            got = evaluate(scorer, catalogue.split, TEST, (2, 5))
            wanted = {f"{m}@{k}": got.mean(m, k) for m in ("recall", "ndcg") for k in (2, 5)}
            (look,) = log.looks_at_test
            assert (look.trials, look.chosen, look.test) == (TRIALS, number, wanted)


def test_the_log_is_saved_before_test_is_looked_at(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    saved: list[dict[str, Any]] = []

    def look(*arguments: Any, **more: Any) -> Any:
        saved.append(json.loads(_file(own).read_bytes()))
        return evaluate(*arguments, **more)

    monkeypatch.setattr(module, "evaluate", look)
    log = _search(own)
    (before,) = saved
    assert len(before["trials"]) == TRIALS and before["chosen"] == log.chosen
    assert before["looks_at_test"] == []


def test_a_damaged_log_is_not_gone_on_from(own: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = _search(own, 1)
    whole = _file(own).read_bytes()
    _file(own).write_bytes(whole.replace(b'"epochs": ', b'"epochs": 1'))
    assert tune(load_config(own, OVERRIDES), 1, Console()) == first
    assert f"tune: {_file(own)} is not as it was written; the search begins anew" in capsys.readouterr().err
    assert _file(own).read_bytes() == whole


class _KilledError(BaseException):
    pass


def test_killed_at_any_epoch_it_ends_in_the_same_log(
    own: Path, pretrained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(pretrained.parent, tmp_path / "whole")
    whole = tmp_path / "whole" / pretrained.name
    _search(whole)
    save = Checkpoint.save
    left = 0

    def save_and_die(self: Checkpoint, state: dict[str, Any]) -> None:
        nonlocal left
        save(self, state)
        left -= 1
        if not left:
            raise _KilledError

    monkeypatch.setattr(Checkpoint, "save", save_and_die)
    for epochs in (1, 2, 4, 3):
        left = epochs
        with pytest.raises(_KilledError):
            _search(own)
    _search(own)
    assert _file(own).read_bytes() == _file(whole).read_bytes()
    assert not list((own.parent / "run").glob(".tune*"))


def test_the_chosen_is_not_trained_again_for_its_look_at_test(
    own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    epochs = 0
    learn = Trainer._train

    def counted(self: Any) -> dict[str, float]:
        nonlocal epochs
        epochs += 1
        return learn(self)

    monkeypatch.setattr(Trainer, "_train", counted)
    log = _search(own, TRIALS, "evaluate.seeds=[1]")
    assert not log.confirmations and epochs == sum(trial.epochs for trial in log.trials)


def test_what_was_lucky_under_one_seed_is_not_chosen() -> None:
    def trial(score: float, failed: str | None = None) -> Trial:
        validation = {} if failed else {"recall@20": score}
        return Trial(settings=TrainSettings(), seed=1, validation=validation, failed=failed)

    log = Log(space={}, trials=[trial(0.3), trial(0.5), trial(0, "diverged"), trial(0.4), trial(0.2)])
    assert log.ranked == [2, 4, 1, 5]
    log.choose()
    assert log.chosen == 2, "without more seeds the best under one"
    for number, score in ((2, 0.05), (4, 0.35), (1, 0.3)):
        log.confirmations.append(Confirmation(trial=number, seed=2, validation={"recall@20": score}))
    log.choose()
    assert (log.chosen, log.best) == (4, log.trials[1]), "the search goes on from the best under one seed"
    log.confirmations.append(Confirmation(trial=4, seed=3, validation={}))
    log.choose()
    assert log.chosen == 1, "one that diverged under another seed has lost"


def test_a_confirmation_is_a_training_under_its_seed(own: Path) -> None:
    log = _search(own, 1, "evaluate.seeds=[7]")
    (again,) = log.confirmations
    folder = RunFolder(own.parent / "run")
    features = folder.features("multimodal")
    settings = log.trials[0].settings
    done = train(features.matrix, features.valid, folder.split().split, settings, 7)
    assert (again.trial, again.seed, again.validation) == (1, 7, done.validation)
    assert _search(own, 1, "evaluate.seeds=[7]") == log


def test_more_trials_go_on_and_every_look_at_test_stays_on_record(own: Path) -> None:
    first = _search(own)
    again = _search(own)
    assert again == first
    more = _search(own, TRIALS + 2)
    assert more.trials[:TRIALS] == first.trials and len(more.trials) == TRIALS + 2
    assert more.looks_at_test[0] == first.looks_at_test[0]
    assert [look.trials for look in more.looks_at_test] == [TRIALS, TRIALS + 2]
    _search(own, 1, "seed=5")
    assert len(list((own.parent / "run" / "tune").iterdir())) == 2


def test_a_trial_that_diverges_is_logged_and_passed_over(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = module.train_resumably
    calls = 0

    def diverge(features: Any, catalogue: Any, settings: TrainSettings, *rest: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise AlignerError("training diverged in epoch 1")
        return real(features, catalogue, settings, *rest)

    monkeypatch.setattr(module, "train_resumably", diverge)
    log = _search(own)
    assert [trial.failed for trial in log.trials] == [None, "training diverged in epoch 1", None, None]
    assert log.trials[1].validation == {} and log.chosen != 2

    calls = 1
    with pytest.raises(AlignerError, match="diverged"):
        _search(own, 1, "seed=7")


def test_the_command_prints_a_section_that_gives_the_winner(own: Path) -> None:
    words = [word for override in OVERRIDES for word in ("-o", override)]
    answer = CliRunner().invoke(app, ["tune", "-c", str(own), "--trials", "2", *words])
    assert answer.exit_code == 0, answer.output
    log = Log.model_validate_json(_file(own).read_bytes())
    assert TrainSettings.model_validate(yaml.safe_load(answer.stdout)["train"]) == log.winner.settings
    assert "tune 2 of 2: " in answer.stderr and "looked at afterwards: recall@2" in answer.stderr


def test_there_must_be_something_to_tune(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing to tune: export\.sets"):
        tune(load_config(write_catalogue(tmp_path)), 2, QUIET)
