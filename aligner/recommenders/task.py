"""Training of a multimodal recommender, as a task for the epoch loop."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.evaluate.ranking import Scorer, dot_scorer
from alignrec.aligner.evaluate.splits import TRAIN, Split
from alignrec.aligner.hardware import device_of
from alignrec.aligner.recommenders.settings import RecommenderSettings
from alignrec.aligner.train.graphs import bipartite, graph
from alignrec.aligner.train.model import UserItemVectors
from alignrec.aligner.train.sampling import by_interaction, check_trainable, negatives, trainable_part
from alignrec.aligner.train.validation import CRITERION, validation_of
from alignrec.aligner.trainer import Hooks, Task, Trainer

Floats = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Triples:
    """One step's interactions, on the model's device.

    Attributes:
        user: int64 `[n]`.
        positive: int64 `[n]`, the item of each interaction.
        negative: int64 `[n]`, an item that each user never touched.
    """

    user: Tensor
    positive: Tensor
    negative: Tensor


def distinct(index: Tensor) -> Tensor:
    """Each user or item of a step once, int64, ascending: one that repeats would be its own negative."""
    once: Tensor = index.unique()  # type: ignore[no-untyped-call]
    return once


class Recommender(nn.Module, ABC):
    """Represents users and items by interactions and content; their dot product recommends.

    Args:
        history: training interactions, CSR of ones `[users, items]`.
        features: each modality's, float32 `[items, ·]`, rows of zeros where an item lacks it; training never
            changes them.
        device: where graphs and features are; the caller puts the parameters there.

    """

    def __init__(self, history: sp.csr_array, features: Sequence[Floats], device: torch.device) -> None:
        """Keep what is never learned."""
        super().__init__()
        self.users, self.items = history.shape
        self.device = device
        self.interactions = graph(bipartite(history)).to(device)
        self.features = [torch.from_numpy(values).to(device) for values in features]

    def begin_epoch(self, rng: np.random.Generator) -> None:
        """Draw what an epoch holds fixed; nothing for most."""

    @abstractmethod
    def losses(self, batch: Triples) -> dict[str, Tensor]:
        """The weighted terms of a step, scalars whose sum is minimised."""

    @abstractmethod
    def represent(self) -> UserItemVectors:
        """What recommends."""


class RecommenderTask(Task[Triples]):
    """Learning to recommend from interactions and content; validation Recall@20 decides between epochs.

    Args:
        model: on its device.
        split: training interactions and validation.
        settings: of the optimiser and of stopping.
        seed: of batches and sampling.

    Raises:
        SplitError: there is nothing to train on, or nothing to validate on.
    """

    section = "train"
    model: Recommender

    def __init__(
        self,
        model: Recommender,
        split: Split,
        settings: RecommenderSettings,
        seed: int,
    ) -> None:
        """Set a training up; nothing is trained yet."""
        self.history = split.matrix(TRAIN)
        self.trainable = trainable_part(self.history)
        check_trainable(self.trainable, split)
        self.model = model
        self.kept = model
        self.split, self.settings = split, settings
        self.optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
        self.seeds, self.epochs, self.patience = (seed,), settings.epochs, settings.patience
        self.active: NDArray[np.bool_] = np.diff(self.history.indptr) > 0

    def batches(self, rng: np.random.Generator) -> Iterator[Triples]:
        """All interactions once, each with an item that its user never touched."""
        self.model.begin_epoch(rng)
        for pairs in by_interaction(self.trainable, self.settings.batch_size, rng):
            other = negatives(self.history, pairs.user, rng)
            arrays = (pairs.user, pairs.item, other)
            yield Triples(*(torch.from_numpy(array).to(self.model.device) for array in arrays))

    def losses(self, batch: Triples) -> dict[str, Tensor]:
        """Those of the model."""
        return self.model.losses(batch)

    def rate(self, _epoch: int, _step: int, /) -> float:
        """The same throughout."""
        return self.settings.learning_rate

    def validate(self) -> dict[str, float]:
        """Recall and NDCG at 10 and 20 of validation."""
        return validation_of(*self.vectors(), self.split)

    def score(self, validation: Mapping[str, float]) -> float:
        """Recall@20."""
        return validation[CRITERION]

    @torch.no_grad()
    def vectors(self) -> tuple[Floats, Floats]:
        """User and item vectors, float32; zeros for users without training interactions."""
        self.model.eval()
        vectors = self.model.represent()
        user, item = (x.detach().cpu().numpy() for x in (vectors.user, vectors.item))
        return np.where(self.active[:, None], user, np.float32(0)), item


def fit_recommender(
    build: Callable[[sp.csr_array, Sequence[Floats], torch.device], Recommender],
    content: Mapping[str, tuple[NDArray[np.floating], NDArray[np.bool_]]],
    split: Split,
    settings: RecommenderSettings,
    seed: int,
    hooks: Hooks,
) -> Scorer:
    """Train a multimodal recommender, and score with it.

    Args:
        build: the untrained model, given what `Recommender` is given.
        content: by modality, float `[items, ·]` and which rows count, bool `[items]`.
        split: training interactions, and validation to stop by.
        settings: of the optimiser and of stopping.
        seed: of initial parameters, batches and sampling; with one CPU, thread count and set of versions, the
            same seed gives the same bytes.
        hooks: to follow and resume the training.

    Raises:
        FeatureError: features do not fit the split, or are not finite.
        SplitError: there is nothing to train on or to validate on.
        AlignerError: the device is absent, or training diverged.
    """
    device = device_of(settings.device)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = build(split.matrix(TRAIN), _features(content, split.items), device).to(device)
    task = RecommenderTask(model, split, settings, seed)
    Trainer(task).fit(**hooks)
    return dot_scorer(*task.vectors())


def _features(
    content: Mapping[str, tuple[NDArray[np.floating], NDArray[np.bool_]]], items: int
) -> list[Floats]:
    """Each modality's, with zeros where an item lacks it."""
    for name, (features, valid) in content.items():
        if features.shape[:1] != (items,) or valid.shape != (items,):
            raise FeatureError(
                f"{name}: expected features and marks of {items} items, got {features.shape} and "
                f"{valid.shape}"
            )
        if not np.isfinite(features[valid]).all():
            raise FeatureError(f"{name}: features hold NaN or infinite values")
    return [np.where(valid[:, None], features, 0).astype(np.float32) for features, valid in content.values()]
