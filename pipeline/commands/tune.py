"""`alignrec tune`: a small search over training's settings. Validation chooses, then test is looked at."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import fmean

import numpy as np
from pydantic import BaseModel

from alignrec.aligner.errors import AlignerError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import dot_scorer
from alignrec.aligner.evaluate.splits import TEST
from alignrec.aligner.train.search import propose, space
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.training import Trained
from alignrec.core.features import FeatureSet
from alignrec.core.files import digest, write_bytes
from alignrec.core.sealed import read_sealed_json, seal_json
from alignrec.core.vocabulary import MULTIMODAL
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.disk import check_disk
from alignrec.pipeline.runner.lock import locked
from alignrec.pipeline.runner.run_folder import PRETRAIN, SPLIT, TUNE
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.train import STAGE as TRAIN
from alignrec.pipeline.stages.train import train_resumably, training_inputs

CRITERION = "recall@20"
# So many of the best trials are trained again under more seeds before one is chosen.
CONFIRMED = 3


class Trial(BaseModel):
    """One training of a search.

    Attributes:
        settings: all of them.
        seed: of the training.
        epochs: how many it took until it stopped.
        best_epoch: the one that validation was best in.
        validation: recall and ndcg at 10 and 20 in that epoch; empty where training failed.
        failed: why, if it did.
    """

    settings: TrainSettings
    seed: int
    epochs: int = 0
    best_epoch: int = 0
    validation: dict[str, float] = {}
    failed: str | None = None

    @property
    def score(self) -> float:
        """What is chosen by."""
        return self.validation.get(CRITERION, -1.0)


class Confirmation(BaseModel):
    """A trial trained once more: its number, another seed, and validation as in `Trial`."""

    trial: int
    seed: int
    validation: dict[str, float]


class TestScores(BaseModel):
    """Test, looked at: what the trial `chosen` out of the first `trials` reaches there."""

    trials: int
    chosen: int
    test: dict[str, float]


class Log(BaseModel):
    """Everything that a search tried, in its order; trials are numbered from 1.

    Attributes:
        chosen: the trial of the best mean over seeds among those that were confirmed.
    """

    chosen_by: str = f"validation {CRITERION}, mean over seeds of the best trials"
    space: dict[str, tuple[float, ...]]
    trials: list[Trial] = []
    confirmations: list[Confirmation] = []
    chosen: int = 0
    looks_at_test: list[TestScores] = []

    @property
    def ranked(self) -> list[int]:
        """The trials that did not fail, by number: the best under their one seed first, then the first."""
        worked = [number for number, trial in enumerate(self.trials, 1) if not trial.failed]
        return sorted(worked, key=lambda number: (-self.trials[number - 1].score, number))

    @property
    def best(self) -> Trial:
        """The trial that the search goes on from."""
        return self.trials[self.ranked[0] - 1]

    @property
    def winner(self) -> Trial:
        """The trial that is chosen."""
        return self.trials[self.chosen - 1]

    def scores(self, number: int) -> list[float]:
        """What a trial reached, under each of its seeds."""
        again = [c.validation.get(CRITERION, -1.0) for c in self.confirmations if c.trial == number]
        return [self.trials[number - 1].score, *again]

    def choose(self) -> None:
        """Choose among the best trials by the mean over seeds, of equals the best under one."""
        self.chosen = max(self.ranked[:CONFIRMED], key=lambda number: fmean(self.scores(number)))


def tune(config: Config, trials: int, console: Console) -> Log:
    """Search from the config's `train` section on, and look at test once for what validation chose.

    The log is written after every trial, before anything of test is known, into the run folder's `tune`: a
    file for each set of features, split, seed and settings to start from. A search that was killed goes on;
    one that is finished goes on when more trials are asked for, and each look at test stays in the log.

    Args:
        config: the run; stages up to pretraining are brought up to date first.
        trials: how many there are to be in the end.
        console: shows the trials.

    Raises:
        ConfigError: the config trains nothing.
        AlignerError: the config's own settings cannot be trained with.
    """
    if why := TRAIN.skip(config):
        raise ConfigError(f"this run has nothing to tune: {why}")
    done = run(config, SPLIT, console=console).stages | run(config, PRETRAIN, console=console).stages
    with locked(config.run_folder):
        search = _Search(StageContext(config, TRAIN, done, console=console), console)
        search.go_on(trials)
        search.confirm()
        search.look()
    console.note(_summary(search))
    return search.log


def train_section(settings: TrainSettings) -> dict[str, object]:
    """What to write under `train` for these settings: what a search varies, and what is not the default."""
    chosen = settings.model_dump(mode="json")
    usual = TrainSettings().model_dump(mode="json")
    return {k: v for k, v in chosen.items() if k == "loss" or k in space(settings) or v != usual[k]}


@dataclass(frozen=True, eq=False)
class _Search:
    """A search under way: its log, and the trainings that it tries."""

    context: StageContext
    console: Console

    @cached_property
    def path(self) -> Path:
        name = digest([TUNE, training_inputs(self.context)])[:12]
        return self.context.run.path / TUNE / f"{name}.json"

    @cached_property
    def log(self) -> Log:
        if kept := read_sealed_json(self.path):
            return Log.model_validate(kept)
        if self.path.exists():
            self.console.note(f"tune: {self.path} is not as it was written; the search begins anew")
        return Log(space=space(self.context.config.train))

    @cached_property
    def cut(self) -> CatalogueSplit:
        return self.context.run.split()

    @cached_property
    def features(self) -> FeatureSet:
        return self.context.run.features(MULTIMODAL)

    def go_on(self, trials: int) -> None:
        """Try until the log has so many trials, or nothing near the best is left to try."""
        config, log = self.context.config, self.log
        while len(log.trials) < trials:
            number, settings = len(log.trials) + 1, config.train
            if log.trials:
                rng = np.random.default_rng([config.seed, number])
                proposed = propose(log.best.settings, [t.settings for t in log.trials], rng)
                if proposed is None:
                    self.console.note("tune: nothing near the best is left to try")
                    return
                settings = proposed
            words = ", ".join(self._changes(settings)) or "as configured"
            title = f"tune {number} of {trials}: {words}"
            log.trials.append(self._try(settings, title))
            self._write()
            self._forget(but=[log.trials[number - 1].settings for number in log.ranked[:CONFIRMED]])
            reached = log.trials[-1].failed or f"validation {CRITERION} {log.trials[-1].score:.4f}"
            self.console.note(f"{title}: {reached}; best so far {log.best.score:.4f}")

    def confirm(self) -> None:
        """Train the best trials under the other seeds of `evaluate.seeds`, too, and choose by the mean."""
        config, log = self.context.config, self.log
        for number in log.ranked[:CONFIRMED]:
            trial = log.trials[number - 1]
            known = {trial.seed, *(c.seed for c in log.confirmations if c.trial == number)}
            for seed in (seed for seed in config.evaluate.seeds if seed not in known):
                title = f"tune: trial {number}, seed {seed}"
                try:
                    validation = self._train(trial.settings, title, seed).validation
                except AlignerError:  # what diverges under another seed is no choice
                    validation = {}
                log.confirmations.append(Confirmation(trial=number, seed=seed, validation=validation))
                self._write()
        log.choose()
        self._write()

    def look(self) -> None:
        """Evaluate test for what is chosen, unless that was done for as many trials before."""
        log, config = self.log, self.context.config
        if any((look.trials, look.chosen) == (len(log.trials), log.chosen) for look in log.looks_at_test):
            return
        seed = self.context.config.seed
        trained = self._train(log.winner.settings, f"tune: trial {log.chosen}, chosen", seed)
        scorer = dot_scorer(trained.user, trained.aligned)
        result = evaluate(
            scorer, self.cut.split, TEST, config.evaluate.k, exclude_valid=config.evaluate.exclude_valid
        )
        test = {f"{m}@{k}": result.mean(m, k) for m in ("recall", "ndcg") for k in config.evaluate.k}
        log.looks_at_test.append(TestScores(trials=len(log.trials), chosen=log.chosen, test=test))
        self._write()
        shutil.rmtree(self.context.run.scratch(TUNE), ignore_errors=True)

    def _try(self, settings: TrainSettings, title: str) -> Trial:
        trial = Trial(settings=settings, seed=self.context.config.seed)
        try:
            trained = self._train(settings, title, trial.seed)
        except AlignerError as error:
            if not self.log.trials:
                raise
            return trial.model_copy(update={"failed": str(error)})
        epochs = {"epochs": len(trained.fit.curves), "best_epoch": trained.fit.best_epoch}
        return trial.model_copy(update=epochs | {"validation": trained.validation})

    def _train(self, settings: TrainSettings, title: str, seed: int) -> Trained:
        config, split = self.context.config, self.cut.split
        check_disk(config.run_folder, 64 * settings.dim * (split.users + split.items))
        checkpoint = self._checkpoint(settings, seed)
        return train_resumably(self.features, self.cut, settings, seed, checkpoint, self.console, title)

    def _checkpoint(self, settings: TrainSettings, seed: int) -> Checkpoint:
        fingerprint = digest([training_inputs(self.context), settings.model_dump(mode="json"), seed])
        return Checkpoint(self.context.run.scratch(TUNE) / f"{fingerprint[:16]}.pt", fingerprint)

    def _forget(self, but: Sequence[TrainSettings]) -> None:
        """Remove all checkpoints but those of the best trials: what is chosen need not be trained again."""
        kept = [self._checkpoint(settings, self.context.config.seed).path for settings in but]
        for path in self.context.run.scratch(TUNE).glob("*.pt"):
            if path not in kept:
                path.unlink()

    def _changes(self, settings: TrainSettings) -> list[str]:
        configured = self.context.config.train
        return [f"{name} {value}" for name, value in settings if value != getattr(configured, name)]

    def _write(self) -> None:
        self.path.parent.mkdir(exist_ok=True)
        write_bytes(self.path, seal_json(self.log.model_dump(mode="json")))


def _summary(search: _Search) -> str:
    log, look = search.log, search.log.looks_at_test[-1]
    test = ", ".join(f"{name} {value:.4f}" for name, value in look.test.items())
    scores = log.scores(look.chosen)
    over = f", mean of {len(scores)} seeds" if len(scores) > 1 else ""
    return (
        f"tune: of {look.trials} trials, number {look.chosen} has the best validation {CRITERION}, "
        f"{fmean(scores):.4f}{over}; on test, looked at afterwards: {test}. All trials: {search.path}"
    )
