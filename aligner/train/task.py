"""Training of any model that represents users and items, as a task for the epoch loop."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.processes import Processes
from alignrec.aligner.train.column_share import ColumnShare
from alignrec.aligner.train.graphs import bipartite, graph
from alignrec.aligner.train.model import Representations, unit_shares
from alignrec.aligner.train.objective import Batch, Objective
from alignrec.aligner.train.popularity import PopularityTerm, choose
from alignrec.aligner.train.sampling import check_trainable
from alignrec.aligner.train.settings import TrainSettings
from alignrec.aligner.train.validation import CRITERION, choose_weight, validation_of
from alignrec.aligner.train.zero_shot_term import ZeroShotTerm
from alignrec.aligner.trainer import Task

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class RankingVectors:
    """Vectors whose dot product recommends.

    Attributes:
        user: float32 `[users, d + e + 1]`, fewer where a term is missing; zeros but for the last column for
            users without training interactions.
        item: float32 `[items, ·]`, of as many columns.
        zero_shot: the weight of the zero-shot term, which the `e` columns after the first `d` hold; 0 where
            there are none.
        popularity: the popularity term that the last column holds; None where there is none.
    """

    user: Floats
    item: Floats
    zero_shot: float
    popularity: PopularityTerm | None


class UserItemTask(Task[Batch]):
    """Learning to recommend from interactions; validation Recall@20 decides between epochs.

    Args:
        model: on its device; takes the graph of interactions, gives `Representations`.
        objective: batches and loss of the same users and items.
        split: training interactions and validation.
        settings: of the optimiser and of stopping.
        seed: of batches and sampling.

    Raises:
        SplitError: there is nothing to train on, or nothing to validate on.
    """

    section = "train"
    validates = True
    column_share: ColumnShare | None = None

    def __init__(
        self, model: nn.Module, objective: Objective, split: Split, settings: TrainSettings, seed: int
    ) -> None:
        """Set a training up; nothing is trained yet."""
        check_trainable(objective.trainable, split, validates=self.validates)
        self.model = self.kept = model
        self.objective, self.split, self.settings = objective, split, settings
        self.interactions = graph(bipartite(split.matrix(TRAIN))).to(objective.device)
        self.optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
        self.seeds, self.epochs, self.patience = (seed,), settings.epochs, settings.patience
        # Without softmax and content a step is sparse products; those multiply dense matrices.
        sparse = settings.loss == "bpr" and objective.similarities is None
        self.work = objective.trainable.nnz * settings.dim if sparse else math.inf

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """All interactions once, and what they are compared with."""
        return self.objective.batches(rng)

    def losses(self, batch: Batch) -> dict[str, Tensor]:
        """The weighted terms of the objective."""
        share = self.column_share
        if share is None:
            return self.objective(self.model(self.interactions), batch)
        vectors = share.complete(self.model(self.interactions, share.columns))
        losses = self.objective(vectors, batch, share.members)
        return {name: share.weight * value for name, value in losses.items()}

    def share(self, processes: Processes) -> None:
        """Each process trains columns of its own, of a model that can be asked for some."""
        self.column_share = ColumnShare.of(processes, self.settings.dim, self.settings.members)

    def rate(self, epoch: int, _step: int, /) -> float:
        """A decay in even steps, one an epoch."""
        rate: float = self.settings.decay ** (epoch / self.settings.decay_every)
        return self.settings.learning_rate * rate

    def validate(self) -> dict[str, float]:
        """Recall and NDCG at 10 and 20 of validation."""
        return validation_of(*self.vectors(self.represent()), self.split)

    def score(self, validation: Mapping[str, float]) -> float:
        """Recall@20."""
        return validation[CRITERION]

    @torch.no_grad()
    def represent(self) -> Representations:
        """All users and items by the model as it is."""
        representations: Representations = self.model(self.interactions)
        return representations

    def vectors(self, representations: Representations) -> tuple[Floats, Floats]:
        """User and item vectors whose dot product is what training ranks by, epoch by epoch.

        Under softmax rows are units, and the product is the mean of the members' cosines.
        """
        user, item = representations.final.user, representations.final.item
        if self.settings.loss == "softmax":
            user, item = unit_shares(user, self.settings.members), unit_shares(item, self.settings.members)
        return user.detach().cpu().numpy(), item.detach().cpu().numpy()

    def ranking_vectors(self, representations: Representations) -> RankingVectors:
        """What recommends after training: the vectors, with the terms that validation chooses."""
        user, item = self.vectors(representations)
        history = self.split.matrix(TRAIN)
        active = np.diff(history.indptr) > 0
        user = np.where(active[:, None], user, np.float32(0))  # what nothing moved is noise
        popularity = self.popularity_term(user, item) if self.settings.has_popularity else None
        zero_shot = self.zero_shot_term(history)

        def ranked(weight: float) -> tuple[Floats, Floats]:
            pair = (user, item) if zero_shot is None else zero_shot.columns(user, item, weight)
            return pair if popularity is None else popularity.columns(*pair)

        weight = 0.0 if zero_shot is None else self.zero_shot_weight(ranked)
        return RankingVectors(*ranked(weight), weight, popularity)

    def popularity_term(self, user: Floats, item: Floats) -> PopularityTerm:
        """The popularity term that goes with vectors, of the weight that validation chooses."""
        return choose(user, item, self.split, self.settings.popularity)

    def zero_shot_term(self, history: sp.csr_array) -> ZeroShotTerm | None:
        """The zero-shot term of the features that content is kept as similar as; None without any."""
        similarities = self.objective.similarities
        if similarities is None or not self.settings.has_zero_shot:
            return None
        return ZeroShotTerm.of(similarities.features.cpu().numpy(), history)

    def zero_shot_weight(self, ranked: Callable[[float], tuple[Floats, Floats]]) -> float:
        """The weight of the zero-shot term that validation chooses among vectors that have it."""
        return choose_weight(ranked, self.split, self.settings.zero_shot)

    def ranking_validation(self, ranking: RankingVectors) -> dict[str, float]:
        """Recall and NDCG at 10 and 20 of validation, by the vectors that training ends with."""
        return validation_of(ranking.user, ranking.item, self.split)
