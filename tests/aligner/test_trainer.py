"""The epoch loop, with a task that is a single number: it stops, keeps the best, resumes to the byte."""

from __future__ import annotations

import copy
import io
import math
import weakref
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from alignrec.aligner.errors import AlignerError
from alignrec.aligner.processes import Processes
from alignrec.aligner.trainer import Fit, Task, Trainer, epoch_rng


class Guess(Task[float]):
    """A number is moved towards noisy targets; validation is what `judged` says, or the distance to 1."""

    section = "guess"

    def __init__(self, judged: list[float] | None = None, **settings: Any) -> None:
        self.model = nn.ModuleDict({"kept": nn.Linear(1, 1, bias=False), "dropout": nn.Dropout(0.5)})
        self.kept = self.model["kept"]
        nn.init.zeros_(self.kept.weight)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=9.0)
        self.seeds, self.epochs, self.patience = (5,), 8, 8
        self.judged = judged
        self.rates: list[tuple[int, int]] = []
        self.gradients: list[float] = []
        for name, value in settings.items():
            setattr(self, name, value)

    def batches(self, rng: np.random.Generator) -> Iterator[float]:
        yield from 1 + 0.3 * rng.standard_normal(3)

    def losses(self, batch: float) -> dict[str, Tensor]:
        if math.isinf(batch):
            return {}
        noisy = self.model["dropout"](torch.ones(1, 1))
        error = (self.kept(noisy) - batch).square().sum()
        return {"error": error, "half": error / 2}

    def rate(self, epoch: int, step: int, /) -> float:
        self.rates.append((epoch, step))
        return 0.1 / (1 + epoch)

    def validate(self) -> dict[str, float]:
        assert not self.model.training and not torch.is_grad_enabled()
        if self.judged is not None:
            return {"score": self.judged.pop(0)}
        return {"score": -abs(1 - self.kept.weight.item())}

    def score(self, validation: Mapping[str, float]) -> float:
        return validation["score"]

    @property
    def number(self) -> float:
        return self.kept.weight.item()


def as_a_file_keeps_it(state: dict[str, Any]) -> dict[str, Any]:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    kept: dict[str, Any] = torch.load(buffer, weights_only=True)
    return kept


def test_it_learns_at_the_task_s_rate_and_shows_each_epoch() -> None:
    task = Guess()
    shown: list[tuple[int, dict[str, float]]] = []
    fit = Trainer(task).fit(advance=lambda epoch, curve: shown.append((epoch, curve)))
    assert task.rates == [(epoch, step) for epoch in range(8) for step in range(3)]
    assert shown == list(enumerate(fit.curves, start=1))
    assert set(fit.curves[0]) == {"loss.error", "loss.half", "score"}
    assert all(curve["loss.half"] == pytest.approx(curve["loss.error"] / 2) for curve in fit.curves)
    assert fit.validation == {"score": max(curve["score"] for curve in fit.curves)}


@pytest.mark.parametrize("untrained_counts", [False, True])
def test_resumed_after_any_epoch_it_ends_in_the_same_bytes(untrained_counts: bool) -> None:
    whole = Guess(untrained_counts=untrained_counts)
    states: list[dict[str, Any]] = []
    fit = Trainer(whole).fit(save=lambda state: states.append(as_a_file_keeps_it(state)))
    assert [state["epoch"] for state in states] == list(range(1, 9))
    for state in states:
        torch.rand(3)  # what else draws from the global generator makes no difference
        task = Guess(untrained_counts=untrained_counts)
        assert Trainer(task).fit(state=state) == fit
        assert task.number == whole.number


def test_nothing_of_a_state_is_kept_beside_what_goes_on_from_it() -> None:
    states: list[dict[str, Any]] = []
    Trainer(Guess()).fit(save=lambda state: states.append(as_a_file_keeps_it(state)))
    state = states[3]
    weight = weakref.ref(state["model"]["kept.weight"])
    gone: list[bool] = []
    Trainer(Guess()).fit(state=state, advance=lambda _epoch, _curve: gone.append(weight() is None))
    assert gone == [True] * 4 and not state


@pytest.mark.parametrize(
    ("judged", "epochs", "best"),
    [([0.1, 0.3, 0.3, 0.2, 0.9], 4, 2), ([0.5, 0.4, 0.3], 3, 1), ([0.1, 0.2, 0.3, 0.4, 0.5], 5, 5)],
)
def test_patience_ends_it_and_the_best_epoch_is_kept(judged: list[float], epochs: int, best: int) -> None:
    task = Guess(list(judged), epochs=5, patience=2)
    numbers: list[float] = []
    fit = Trainer(task).fit(advance=lambda _epoch, _curve: numbers.append(task.number))
    assert [curve["score"] for curve in fit.curves] == judged[:epochs]
    assert (fit.best_epoch, fit.validation) == (best, {"score": judged[best - 1]})
    assert task.number == numbers[best - 1]


def test_the_untrained_model_is_kept_if_it_counts_and_no_epoch_is_better() -> None:
    task = Guess([0.5, 0.4, 0.5, 0.9], untrained_counts=True, patience=2)
    fit = Trainer(task).fit()
    assert (len(fit.curves), fit.best_epoch, fit.validation, task.number) == (2, 0, {}, 0.0)


def test_no_epoch_leaves_everything_as_it_is() -> None:
    task = Guess(epochs=0, untrained_counts=True)
    assert Trainer(task).fit() == Fit([], 0)
    assert task.number == 0


@pytest.mark.parametrize("judged", [None, [0.1, 0.2, math.nan]])
def test_it_says_where_it_diverged_and_what_to_lower(judged: list[float] | None) -> None:
    class Diverging(Guess):
        def losses(self, batch: float) -> dict[str, Tensor]:
            factor = math.nan if judged is None and len(self.rates) > 6 else 1.0
            return {name: factor * value for name, value in super().losses(batch).items()}

    with pytest.raises(AlignerError, match=r"diverged in epoch 3: .*nan.*; lower guess\.learning_rate"):
        Trainer(Diverging(copy.copy(judged))).fit()


def test_a_batch_without_any_loss_teaches_nothing() -> None:
    task = Guess()
    task.model.eval()  # no dropout, which could hide all there is
    trainer = Trainer(task)
    assert trainer.step(math.inf) == {}
    assert task.number == 0
    assert set(trainer.step(1.0)) == {"error", "half"}
    assert task.number != 0


def test_a_batch_in_parts_teaches_what_it_teaches_at_once() -> None:
    class Parts(Guess):
        def parts(self, batch: float) -> tuple[float, ...]:
            return (batch, math.inf, batch, batch)

        def losses(self, batch: float) -> dict[str, Tensor]:
            return {name: value / 3 for name, value in super().losses(batch).items()}

    whole, parts = Guess(clip=2.0), Parts(clip=2.0)
    losses = []
    for task in (whole, parts):
        task.model.eval()
        losses.append({name: value.item() for name, value in Trainer(task).step(1.5).items()})
    assert losses[1] == pytest.approx(losses[0])
    assert parts.number == pytest.approx(whole.number) != 0


def test_a_group_learns_at_its_own_share_of_the_rate() -> None:
    task = Guess(epochs=1)
    task.optimizer.param_groups[0]["rate_scale"] = 0.25
    Trainer(task).fit()
    assert task.optimizer.param_groups[0]["lr"] == pytest.approx(0.25 * task.rate(0, 2))


def test_where_the_last_is_wanted_no_epoch_is_kept_beside_the_model() -> None:
    task = Guess([0.9, 0.5, 0.1], epochs=3, patience=1, keeps_last=True)
    numbers: list[float] = []
    states: list[dict[str, Any]] = []
    fit = Trainer(task).fit(save=states.append, advance=lambda *_: numbers.append(task.number))
    assert (fit.best_epoch, len(fit.curves), fit.validation) == (3, 3, {"score": 0.1})
    assert task.number == numbers[-1] and all(state["best"] == {} for state in states)


def test_a_gradient_is_cut_to_the_task_s_length() -> None:
    long, short = Guess(), Guess(clip=1e-3)
    for task in (long, short):
        task.model.eval()
        Trainer(task).step(1.0)
    assert abs(long.kept.weight.grad.item()) == pytest.approx(3)
    assert abs(short.kept.weight.grad.item()) == pytest.approx(1e-3, rel=1e-3)


def test_little_work_runs_on_one_thread_and_the_threads_are_given_back() -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        threads: list[int] = []
        for work in (10.0, math.inf):
            task = Guess(work=work, epochs=1)
            Trainer(task).fit(advance=lambda *_: threads.append(torch.get_num_threads()))
        assert threads == [1, 2]
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_an_epoch_draws_the_same_whatever_came_before() -> None:
    assert epoch_rng(1, 2).random() == epoch_rng(1, 2).random() != epoch_rng(1, 3).random()


class Shared(Guess):
    """Of each step, one of two processes does half."""

    processes: Processes | None = None

    def share(self, processes: Processes) -> None:
        self.processes = processes

    def losses(self, batch: float) -> dict[str, Tensor]:
        losses = super().losses(batch)
        return losses if self.processes is None else {name: value / 2 for name, value in losses.items()}


class Twins(Processes):
    """Two processes of which the other one does what this one does; the first one's scores are known."""

    count = 2

    def __init__(self, rank: int, scores: list[float] | None = None) -> None:
        self.rank, self.scores = rank, scores
        self.compared: list[list[float]] = []

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        for tensor in tensors:
            tensor.mul_(2)

    def from_first(self, number: float) -> float:
        assert math.isnan(number) == (self.rank > 0)
        return number if self.scores is None else self.scores.pop(0)

    def check_alike(self, tensors: Sequence[Tensor]) -> None:
        self.compared.append([tensors[0][0].item(), tensors[1].item()])


def test_half_a_step_each_is_a_whole_one() -> None:
    whole, shared, twins = Guess(clip=2.0), Shared(clip=2.0), Twins(0)
    fit = Trainer(whole).fit()
    assert Trainer(shared).fit(processes=twins) == fit
    assert shared.number == whole.number
    assert twins.compared == [[0.0, 0.0]], "before the first step"


def test_a_process_that_is_not_the_first_follows_its_decisions_and_validates_nothing() -> None:
    scores = [0.1, 0.4, 0.3, 0.2]
    task, twins = Shared([], patience=2), Twins(1, [*scores, 9.0])
    states: list[dict[str, Any]] = []
    fit = Trainer(task).fit(processes=twins, save=lambda state: states.append(as_a_file_keeps_it(state)))
    assert (fit.best_epoch, len(fit.curves), twins.scores) == (2, 4, [9.0])
    assert all(curve.keys() == {"loss.error", "loss.half"} for curve in fit.curves)
    again = Twins(1, scores[3:])
    assert Trainer(Shared([], patience=2)).fit(state=states[2], processes=again) == fit
    assert again.compared[0][0] == 3


def test_what_cannot_be_shared_says_so() -> None:
    with pytest.raises(AlignerError, match="guess is done by one process: start it without torchrun"):
        Trainer(Guess()).fit(processes=Twins(0))
