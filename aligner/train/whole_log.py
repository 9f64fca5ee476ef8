"""Training on all interactions, for vectors to serve with: none is left to stop by, so it is given when."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from torch import nn

from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.train.objective import Objective
from alignrec.aligner.train.popularity import PopularityTerm
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.task import Floats, RankingVectors, UserItemTask


@dataclass(frozen=True)
class Chosen:
    """What validation chose when a part of the interactions was held out.

    Attributes:
        epochs: how many were best, at least 1.
        popularity: the weight of the popularity term; 0 without one.
        zero_shot: the weight of the zero-shot term; 0 without one.
    """

    epochs: int
    popularity: float
    zero_shot: float = 0.0


class WholeLogTask(UserItemTask):
    """Learning from every interaction for as many epochs as were best when some were held out.

    Args:
        model, objective, settings, seed: as of `UserItemTask`.
        split: undivided.
        chosen: what validation chose before.

    Raises:
        SplitError: there is nothing to train on.
    """

    validates = False
    keeps_last = True

    def __init__(
        self,
        model: nn.Module,
        objective: Objective,
        split: Split,
        settings: TrainSettings,
        seed: int,
        chosen: Chosen,
    ) -> None:
        """Set a training up; nothing is trained yet."""
        super().__init__(model, objective, split, settings, seed)
        self.chosen, self.epochs = chosen, chosen.epochs

    def validate(self) -> dict[str, float]:
        """Nothing: every interaction has been learned from."""
        return {}

    def popularity_term(self, user: Floats, item: Floats) -> PopularityTerm:  # noqa: ARG002
        """The popularity term of the weight that was chosen."""
        return PopularityTerm.of(self.split.matrix(TRAIN), self.chosen.popularity)

    def zero_shot_weight(self, ranked: Callable[[float], tuple[Floats, Floats]]) -> float:  # noqa: ARG002
        """The weight that was chosen."""
        return self.chosen.zero_shot

    def ranking_validation(self, ranking: RankingVectors) -> dict[str, float]:  # noqa: ARG002
        """Nothing."""
        return {}
