"""The training loop: epochs, validation, early stopping, checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignrec.aligner.errors import AlignerError, SplitError
from alignrec.aligner.evaluate.evaluation import evaluate
from alignrec.aligner.evaluate.ranking import Scorer
from alignrec.aligner.evaluate.splits import TRAIN, VALID, Split
from alignrec.aligner.threads import one_thread
from alignrec.aligner.train.graphs import bipartite, graph
from alignrec.aligner.train.model import Sides, unit_shares
from alignrec.aligner.train.objective import Batch, Objective
from alignrec.aligner.train.sampling import epoch_rng
from alignrec.aligner.train.settings import TrainSettings

State = dict[str, Any]
Save = Callable[[State], None]
Advance = Callable[[int, dict[str, float]], None]
Floats = NDArray[np.float32]
_SMALL = 10_000_000  # numbers that one layer moves along the interactions


@dataclass(frozen=True)
class Fit:
    """How training went; the model itself is left as it was in the best epoch.

    Attributes:
        curves: for each epoch the loss's parts and validation metrics, not rounded.
        best_epoch: from 1.
        validation: recall and ndcg at 10 and 20 in the best epoch.
    """

    curves: list[dict[str, float]]
    best_epoch: int
    validation: dict[str, float]


def dot_scorer(user: NDArray[np.floating], item: NDArray[np.floating]) -> Scorer:
    """Scores by the dot product of `[users, d]` with `[items, d]`."""

    def score(users: NDArray[np.int64]) -> NDArray[np.floating]:
        return np.asarray(user[users] @ item.T)

    return score


def scored(final: Sides, settings: TrainSettings) -> tuple[Floats, Floats]:
    """User and item vectors whose dot product is what training ranks by.

    Under softmax rows are units, and the product is the mean of the members' cosines.
    """
    user, item = final.user, final.item
    if settings.loss == "softmax":
        user, item = unit_shares(user, settings.members), unit_shares(item, settings.members)
    return user.detach().cpu().numpy(), item.detach().cpu().numpy()


class Trainer:
    """One training run of a model that represents users and items.

    Args:
        model: on its device.
        objective: batches and loss of the same users and items.
        split: training interactions and validation.
        settings: of the optimiser and of stopping.
        seed: of batches and sampling.

    Raises:
        SplitError: there is nothing to train on, or nothing to validate on.
    """

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        split: Split,
        settings: TrainSettings,
        seed: int,
    ) -> None:
        """Set a run up; nothing is trained yet."""
        if not objective.trainable.nnz or not (split.label == VALID).any():
            raise SplitError(
                "training needs interactions in train and in valid, and a user who has not touched every "
                "item: check split.ratios and split.k_core"
            )
        self.model, self.objective, self.split = model, objective, split
        self.settings, self.seed = settings, seed
        self.interactions = graph(bipartite(split.matrix(TRAIN))).to(objective.device)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
        self.curves: list[dict[str, float]] = []
        self.best_epoch = 0
        self.best: dict[str, Tensor] = {}

    @property
    def epoch(self) -> int:
        """How many epochs are done."""
        return len(self.curves)

    @property
    def finished(self) -> bool:
        """Whether the last epoch is done or patience is over."""
        return self.epoch >= self.settings.epochs or self.epoch - self.best_epoch >= self.settings.patience

    @property
    def _small(self) -> bool:
        """Whether a step is sparse products of few numbers: softmax and content multiply dense matrices."""
        settings, objective = self.settings, self.objective
        sparse = settings.loss == "bpr" and objective.similarities is None
        return sparse and objective.trainable.nnz * settings.dim < _SMALL

    def state(self) -> State:
        """What `resume` needs: tensors, numbers, strings, lists and dicts alone.

        Tensors are the run's own: write them, or copy them, before the next epoch.
        """
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "curves": self.curves,
            "best_epoch": self.best_epoch,
            "best": self.best,
        }

    def resume(self, state: State) -> None:
        """Go on after `state`, which the same run with the same arguments had made."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.curves = [dict(curve) for curve in state["curves"]]
        self.best_epoch, self.best = state["best_epoch"], dict(state["best"])

    def run(self, save: Save | None = None, advance: Advance | None = None) -> Fit:
        """Train to the end, and put the best epoch's parameters back into the model."""
        with one_thread(self._small):
            while not self.finished:
                curve = self._train() | self._validate()
                self.curves.append(curve)
                if self.best_epoch == 0 or curve["recall@20"] > self.curves[self.best_epoch - 1]["recall@20"]:
                    self.best_epoch = self.epoch
                    self.best = {name: value.clone() for name, value in self.model.state_dict().items()}
                if save is not None:
                    save(self.state())
                if advance is not None:
                    advance(self.epoch, curve)
        self.model.load_state_dict(self.best)
        best = self.curves[self.best_epoch - 1]
        return Fit(self.curves, self.best_epoch, {name: best[name] for name in best if "@" in name})

    def step(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from one batch; returns the loss's parts as they were before."""
        terms = self.objective(self.model(self.interactions), batch)
        self.optimizer.zero_grad(set_to_none=True)
        torch.stack(list(terms.values())).sum().backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return {name: value.detach() for name, value in terms.items()}

    def _train(self) -> dict[str, float]:
        """One epoch; the mean of each of the loss's parts over its steps."""
        rate = self.settings.learning_rate * self.settings.decay ** (self.epoch / self.settings.decay_every)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.model.train()
        totals: dict[str, Tensor] = {}
        steps = 0
        for batch in self.objective.batches(epoch_rng(self.seed, self.epoch)):
            steps += 1
            for name, value in self.step(batch).items():
                totals[name] = totals.get(name, torch.zeros_like(value)) + value
        parts = {name: float(value) / steps for name, value in totals.items()}
        if not all(np.isfinite(list(parts.values()))):
            raise AlignerError(
                f"training diverged in epoch {self.epoch + 1}: {parts}; lower train.learning_rate"
            )
        return {f"loss.{name}": value for name, value in parts.items()}

    def _validate(self) -> dict[str, float]:
        self.model.eval()
        with torch.no_grad():
            scorer = dot_scorer(*scored(self.model(self.interactions).final, self.settings))
        result = evaluate(scorer, self.split, VALID)
        return {f"{metric}@{k}": result.mean(metric, k) for metric in ("recall", "ndcg") for k in (10, 20)}
