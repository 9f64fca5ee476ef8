"""The one epoch loop of everything that is trained here. It knows no model: a task brings its own."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypedDict, TypeVar, Unpack

import numpy as np
import torch
from torch import Tensor, nn

from alignrec.aligner.errors import AlignerError
from alignrec.aligner.hardware import one_thread_if_small
from alignrec.aligner.processes import ALONE, Processes

Batch = TypeVar("Batch")
State = dict[str, Any]
Save = Callable[[State], None]
Advance = Callable[[int, dict[str, float]], None]


class Hooks(TypedDict, total=False):
    """How a training is followed and resumed.

    Attributes:
        state: of an interrupted run with the same other arguments; the result is as if it had not stopped. It
            is emptied, so that nothing of it is kept twice.
        save: takes the state after each epoch. It holds plain containers, numbers and tensors, which
            `torch.load(weights_only=True)` reads, and belongs to the run: write or copy it at once.
        advance: takes the number of epochs done, and the last one's losses and validation.
        processes: that share each step, every one of them here with the same arguments and state. The first
            one's result counts.
    """

    state: State | None
    save: Save | None
    advance: Advance | None
    processes: Processes


class Task(ABC, Generic[Batch]):
    """What is trained: a model, its batches and losses, and what judges an epoch.

    Attributes:
        model: holds all that learns, on its device.
        kept: what of the model is left as it was in the best epoch: all of it, or a part.
        optimizer: of the model's parameters.
        section: the section of the config that its settings are in, for messages.
        seeds: what an epoch's random numbers come from, together with its number.
        epochs: at most so many.
        patience: epochs without a better score that end the training.
        clip: largest norm of a step's gradient.
        work: multiplications in a step's largest product; where few, one thread is faster.
        untrained_counts: whether the untrained model is kept if no epoch is better.
        keeps_last: whether training leaves the model of its last epoch, and needs no copy of a better one.
    """

    model: nn.Module
    kept: nn.Module
    optimizer: torch.optim.Optimizer
    section: str
    seeds: tuple[int, ...]
    epochs: int
    patience: int
    clip: float = math.inf
    work: float = math.inf
    untrained_counts: bool = False
    keeps_last: bool = False

    @abstractmethod
    def batches(self, rng: np.random.Generator) -> Iterable[Batch]:
        """One epoch's batches, in an order and with a content that `rng` decides."""

    @abstractmethod
    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The loss's parts, scalars with gradients, whose sum is minimised; none where a batch has none.

        After `share`, those of all processes add up to the batch's.
        """

    def parts(self, batch: Batch) -> Iterable[Batch]:
        """What of a batch goes through the model at once; the losses of all parts add up to the batch's."""
        return (batch,)

    def share(self, processes: Processes) -> None:  # noqa: ARG002
        """Compute a share of each step from now on; `losses` of all processes then add up to a batch's.

        Every process has the same batches, and gives losses of the same names.

        Raises:
            AlignerError: the steps of this task cannot be shared.
        """
        raise AlignerError(f"{self.section} is done by one process: start it without torchrun")

    @abstractmethod
    def rate(self, epoch: int, step: int, /) -> float:
        """The learning rate of a step; both count from 0.

        A parameter group of the optimizer that has a `rate_scale` learns at that many times the rate.
        """

    @abstractmethod
    def validate(self) -> dict[str, float]:
        """Metrics of the model as it is; called without gradients."""

    @abstractmethod
    def score(self, validation: Mapping[str, float]) -> float:
        """What decides between epochs, the higher the better."""


@dataclass(frozen=True)
class Fit:
    """How training went.

    Attributes:
        curves: for each epoch the mean of each of the loss's parts, as `loss.…`, and validation's metrics,
            not rounded.
        best_epoch: from 1; 0 if it is the untrained model.
    """

    curves: list[dict[str, float]]
    best_epoch: int

    @property
    def validation(self) -> dict[str, float]:
        """Validation's metrics in the best epoch; empty for the untrained model."""
        best = self.curves[self.best_epoch - 1] if self.best_epoch else {}
        return {name: value for name, value in best.items() if not name.startswith("loss.")}


def epoch_rng(*numbers: int) -> np.random.Generator:
    """The random numbers of one epoch: they depend on nothing before it, so a resumed run draws the same."""
    return np.random.default_rng(numbers)


class Trainer(Generic[Batch]):
    """One training under way."""

    def __init__(self, task: Task[Batch]) -> None:
        """Set a training up; nothing is trained yet."""
        self.task = task
        self.curves: list[dict[str, float]] = []
        self.best_epoch, self.best_score = 0, -math.inf
        self.best: dict[str, Tensor] = {}
        self.processes = ALONE

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.curves)

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or patience is over."""
        return self.epoch >= self.task.epochs or self.epoch - self.best_epoch >= self.task.patience

    def fit(self, **hooks: Unpack[Hooks]) -> Fit:
        """Train to the end, and put the best epoch back into the task's model, unless the last is wanted.

        Raises:
            AlignerError: training diverged, or another process ended.
        """
        state, save, advance = hooks.get("state"), hooks.get("save"), hooks.get("advance")
        with one_thread_if_small(self.task.work):
            if state is not None:
                self.resume(state)
            self._share(hooks.get("processes", ALONE))
            if state is None and self.task.untrained_counts and self.task.epochs:
                self._keep_if_better(self._validate())
            while not self.finished:
                losses = self._train()
                validation = self._validate()
                self.curves.append({f"loss.{name}": value for name, value in losses.items()} | validation)
                self._keep_if_better(validation)
                if save is not None:
                    save(self.state())
                if advance is not None:
                    advance(self.epoch, self.curves[-1])
        if self.best:
            self.task.kept.load_state_dict(self.best)
        return Fit(self.curves, self.best_epoch)

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from one batch; returns the loss's parts as they were before.

        Here alone gradients are made, added up over processes, and followed.
        """
        self.task.optimizer.zero_grad(set_to_none=True)
        sums: dict[str, Tensor] = {}
        for part in self.task.parts(batch):
            losses = self.task.losses(part)
            if losses:
                torch.stack(list(losses.values())).sum().backward()  # type: ignore[no-untyped-call]
            for name, value in losses.items():
                sums[name] = sums[name] + value.detach() if name in sums else value.detach()
        if sums:
            self._add_up(sums)
            if math.isfinite(self.task.clip):
                nn.utils.clip_grad_norm_(self.task.model.parameters(), self.task.clip)
            self.task.optimizer.step()
        return sums

    def state(self) -> State:
        """What `resume` needs: tensors, numbers, strings, lists and dicts alone.

        Tensors are the run's own: write them, or copy them, before the next epoch.
        """
        return {
            "epoch": self.epoch,
            "model": self.task.model.state_dict(),
            "optimizer": self.task.optimizer.state_dict(),
            "curves": self.curves,
            "best_epoch": self.best_epoch,
            "best_score": self.best_score,
            "best": self.best,
        }

    def resume(self, state: State) -> None:
        """Go on after `state`, which a run with the same arguments gave to `save`, and which is emptied."""
        self.task.model.load_state_dict(state.pop("model"))
        self.task.optimizer.load_state_dict(state.pop("optimizer"))
        self.curves = [dict(curve) for curve in state["curves"]]
        self.best_epoch, self.best_score = state["best_epoch"], state["best_score"]
        self.best = dict(state.pop("best"))
        state.clear()

    def _share(self, processes: Processes) -> None:
        """Train together with others from here on, which have come as far as this one."""
        if processes.count == 1:
            return
        self.processes = processes
        self.task.share(processes)
        come = torch.tensor([self.epoch, self.best_epoch, self.best_score], dtype=torch.float64)
        processes.check_alike([come, *self.task.model.parameters(), *self.task.model.buffers()])

    def _add_up(self, losses: dict[str, Tensor]) -> None:
        """Make all processes' losses and gradients of a step of this one's."""
        if self.processes.count > 1:
            gradients = [p.grad for p in self.task.model.parameters() if p.grad is not None]
            self.processes.add_up([*losses.values(), *gradients])

    def _train(self) -> dict[str, float]:
        """One epoch; the mean of each of the loss's parts over the steps that had it."""
        task, seeds = self.task, (*self.task.seeds, self.epoch)
        task.model.train()
        parts: dict[str, list[Tensor]] = {}
        with torch.random.fork_rng(devices=[]):
            # For what draws from PyTorch's own generator, as dropout does.
            torch.manual_seed(int(epoch_rng(*seeds).integers(2**62)))
            for step, batch in enumerate(task.batches(epoch_rng(*seeds))):
                for group in task.optimizer.param_groups:
                    group["lr"] = task.rate(self.epoch, step) * group.get("rate_scale", 1.0)
                for name, value in self.step(batch).items():
                    parts.setdefault(name, []).append(value)
        means = {name: float(np.mean(torch.stack(p).double().cpu().numpy())) for name, p in parts.items()}
        return self._finite(means)

    @torch.no_grad()
    def _validate(self) -> dict[str, float]:
        """By the first process alone; what others know of it is its score."""
        if not self.processes.first:
            return {}
        self.task.model.eval()
        return self._finite(self.task.validate())

    def _finite(self, values: dict[str, float]) -> dict[str, float]:
        if not all(math.isfinite(value) for value in values.values()):
            raise AlignerError(
                f"training diverged in epoch {self.epoch + 1}: {values}; lower "
                f"{self.task.section}.learning_rate"
            )
        return values

    def _keep_if_better(self, validation: Mapping[str, float]) -> None:
        """Keep the model as it is now, if none before was as good, or the last is wanted."""
        if self.task.keeps_last:
            self.best_epoch = self.epoch
            return
        score = self.processes.from_first(self.task.score(validation) if self.processes.first else math.nan)
        if score > self.best_score:
            self.best_epoch, self.best_score = self.epoch, score
            self.best = {name: value.clone() for name, value in self.task.kept.state_dict().items()}
