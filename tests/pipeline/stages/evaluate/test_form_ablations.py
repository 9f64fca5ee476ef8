"""Every form of the multimodal vector beside the run's own, resumable training by training."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from alignrec.aligner.evaluate.evaluator import Evaluator
from alignrec.aligner.evaluate.splits import Split, split_random
from alignrec.aligner.pretrain.forms import forms
from alignrec.aligner.pretrain.pretraining import pretrain
from alignrec.core.results import Results
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.checkpoint import Checkpoint
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.stage import StageContext
from alignrec.pipeline.stages.evaluate.form_ablations import RIDGE, FormAblations, form_ablations
from tests.aligner.pretrain.kinds import TINY, world

INPUTS = world(150)
SETTINGS = TINY.model_copy(update={"epochs": 2})
OWN = pretrain(INPUTS, SETTINGS, seed=1).encoder.encode(INPUTS)[0]


class _Killed(BaseException):
    """Stands for a signal that ends the process."""


def measured(scratch: Path, seeds: tuple[int, ...] = (1,)) -> FormAblations:
    rng = np.random.default_rng(0)
    user, item = np.nonzero(rng.random((40, 150)) < 0.07)
    split = Split(40, 150, user, item, split_random(user, (0.6, 0.2, 0.2), 1))
    config = Config.model_validate(
        {
            "catalog": {"items": {"path": "x"}, "interactions": {"path": "y"}},
            "pretrain": SETTINGS.model_dump(),
        }
    )
    context = cast(StageContext, SimpleNamespace(config=config, console=Console(quiet=True)))
    return form_ablations(
        context, INPUTS, dict.fromkeys(seeds, OWN), Evaluator(split, (5,)), {"part": "x"}, scratch
    )


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> FormAblations:
    return measured(tmp_path_factory.mktemp("whole"))


def test_every_form_is_measured_and_the_runs_own_compared_with_it(whole: FormAblations) -> None:
    names = [form.name for form in forms(SETTINGS)]
    assert len(names) == 5
    results = Results(whole.records)
    for protocol in ("zero-shot", "item-cf"):
        for split in ("valid", "test"):
            here = results.select(protocol=protocol, split=split, metric="recall")
            assert [r.subject for r in here.select(against=None).records] == names
            assert [r.against for r in here.select(subject="multimodal").records] == names
            for record in here.select(against=names[1]).records:
                assert record.low is not None and record.seed == 1
    assert len(results.records) == 2 * 2 * 2 * 10


def test_every_seed_trains_every_form(
    whole: FormAblations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("multimodal without ICA", "multimodal in the paper's form")
    few = [form for form in forms(SETTINGS) if form.name in names]
    monkeypatch.setattr("alignrec.pipeline.stages.evaluate.form_ablations.forms", lambda _: few)
    one, two = Results(whole.records), Results(measured(tmp_path, (1, 2)).records)
    for form in few:
        asked: dict[str, Any] = {"protocol": "zero-shot", "split": "test", "metric": "ndcg"}
        asked |= {"subject": form.name, "against": None}
        (alone,) = one.select(**asked).records
        here = two.select(**asked).records
        first, second = (r for r in here if r.seed is not None)
        assert (first.seed, first.value, second.seed) == (1, alone.value, 2)
        (mean,) = (r for r in here if r.aggregate == "mean")
        assert mean.value == pytest.approx((first.value + second.value) / 2)
        assert first.value != second.value


def test_what_each_form_tells_is_measured_but_of_what_aligns_nothing(whole: FormAblations) -> None:
    names = ["multimodal", *(form.name for form in forms(SETTINGS) if form.settings.epochs), RIDGE]
    assert list(whole.directions) == names
    for name, directions in whole.directions.items():
        assert [d.wanted for d in directions] == ["image", "text"], name
        assert {d.items for d in directions} == {30}


def test_a_kill_in_any_training_changes_nothing(
    whole: FormAblations, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save, saved = Checkpoint.save, []

    def save_and_die(self: Checkpoint, state: dict[str, Any]) -> None:
        save(self, state)
        saved.append(state["epoch"])
        if len(saved) in (1, 4, 9):
            raise _Killed

    monkeypatch.setattr(Checkpoint, "save", save_and_die)
    for _ in range(3):
        with pytest.raises(_Killed):
            measured(tmp_path)
    again = measured(tmp_path)
    assert again.records == whole.records and again.directions == whole.directions
    # An epoch that was saved is not learned again: 7 trainings of 2 epochs.
    assert len(saved) == 14
