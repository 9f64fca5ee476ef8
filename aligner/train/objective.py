"""What a training step minimises: batches of interactions, and the weighted terms over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import Tensor

from alignrec.aligner.train import losses
from alignrec.aligner.train.losses import rows
from alignrec.aligner.train.model import Representations
from alignrec.aligner.train.sampling import Pairs, by_interaction, by_user, negatives, trainable_part
from alignrec.aligner.train.settings import TrainSettings

_COMPARED = 2048  # distinct users or items that an in-batch term compares with one another, at most


class Similarities:
    """Cosines among items by their features; all of them at once where the catalogue is small.

    Args:
        features: float32 `[items, e]`, unit rows or zeros.
    """

    def __init__(self, features: Tensor) -> None:
        """Compute them if one step would compare as many items anyway."""
        self.features = features
        self.all = features @ features.T if len(features) <= _COMPARED else None

    def __call__(self, items: Tensor) -> Tensor:
        """Of the items, int64 `[n]`, with one another: float32 `[n, n]`."""
        if self.all is not None:
            return self.all[items][:, items]
        part = self.features[items]
        return part @ part.T


@dataclass(frozen=True, eq=False)
class Batch:
    """One step's interactions and what they are compared with, on the model's device.

    Attributes:
        user: int64 `[n]`.
        item: int64 `[n]`.
        users: int64 `[u]`, the distinct users, in random order: the first ones are a fair sample.
        items: int64 `[i]`, the distinct items, likewise.
        row: int64 `[n]`, where each pair's user is in `users`.
        weight: float32 `[n]`, how much each pair counts under softmax.
        other: int64: under BPR `[n]`, an untouched item for each pair; under softmax `[c]`, the candidates.
        touched: bool `[u, c]`, which candidates each user has touched; empty under BPR.
    """

    user: Tensor
    item: Tensor
    users: Tensor
    items: Tensor
    row: Tensor
    weight: Tensor
    other: Tensor
    touched: Tensor


class Objective:
    """Draws batches and weighs terms.

    Args:
        settings: weights and sizes.
        history: training interactions, CSR of ones `[users, items]`.
        features: float32 `[items, e]`, unit rows that content must stay as similar as; None without content.
        device: where the model is.
    """

    def __init__(
        self, settings: TrainSettings, history: sp.csr_array, features: Tensor | None, device: torch.device
    ) -> None:
        """Work out what every step needs."""
        self.settings, self.device = settings, device
        self.similarities = None if features is None else Similarities(features)
        self.history = history
        degree = np.maximum(np.diff(history.indptr), 1).astype(np.float32)
        self.weight: NDArray[np.float32] = degree ** np.float32(-settings.balance)
        self.trainable = trainable_part(history)
        self.step_size = settings.step_size(self.trainable.nnz)

    def batches(self, rng: np.random.Generator) -> Iterator[Batch]:
        """One epoch."""
        if self.settings.loss == "bpr":
            for pairs in by_interaction(self.trainable, self.step_size, rng):
                yield self._batch(pairs, negatives(self.history, pairs.user, rng), rng)
        else:
            for pairs in by_user(self.trainable, self.step_size, rng):
                yield self._batch(pairs, self._candidates(rng), rng)

    def _candidates(self, rng: np.random.Generator) -> NDArray[np.int64]:
        items = self.history.shape[1]
        if self.settings.candidates >= items:
            return np.arange(items)
        return np.sort(rng.choice(items, self.settings.candidates, replace=False))

    def _batch(self, pairs: Pairs, other: NDArray[np.int64], rng: np.random.Generator) -> Batch:
        users, row = np.unique(pairs.user, return_inverse=True)
        order = rng.permutation(len(users))
        users, row = users[order], np.argsort(order)[row]
        items = rng.permutation(np.unique(pairs.item))
        touched = np.zeros((len(users), 0), dtype=np.bool_)
        if self.settings.loss == "softmax":
            histories: Any = self.history[users]  # scipy's stubs take it for a scalar
            among = histories if len(other) == histories.shape[1] else histories[:, other]
            touched = among.toarray() > 0
        weight = self.weight[pairs.user]
        arrays = (pairs.user, pairs.item, users, items, row, weight, other, touched)
        return Batch(*(torch.from_numpy(array).to(self.device) for array in arrays))

    def __call__(
        self, vectors: Representations, batch: Batch, members: int | None = None
    ) -> dict[str, Tensor]:
        """The weighted terms of a batch, each the mean over the members; a term without weight is not there.

        Their sum is the loss. `vectors` are those of all members, or of so many.
        """
        cosines = None
        if vectors.content is not None and self.similarities is not None and self.settings.similarity_weight:
            cosines = self.similarities(batch.items[:_COMPARED])
        shares = vectors.shares(members or self.settings.members)
        found = [self._terms(share, batch, cosines) for share in shares]
        return {name: torch.stack([terms[name] for terms in found]).mean() for name in found[0]}

    def _terms(self, vectors: Representations, batch: Batch, cosines: Tensor | None) -> dict[str, Tensor]:
        """One member's; `cosines`, float `[n, n]`, are the cosines of the first items' features."""
        settings = self.settings
        terms: dict[str, Tensor] = {settings.loss: self._ranking(vectors, batch)}
        if settings.uia_weight:
            final = vectors.final
            terms["uia"] = settings.uia_weight * losses.user_item(
                rows(final.user, batch.user), rows(final.item, batch.item)
            )
        if settings.l2_weight:
            terms["l2"] = settings.l2_weight * self._length(vectors, batch)
        items, users = batch.items[:_COMPARED], batch.users[:_COMPARED]
        content, category = vectors.content, vectors.category
        if settings.cca_weight and content is not None:
            terms["cca"] = settings.cca_weight * (
                losses.contrast(
                    rows(content.item, items), rows(category.item, items), settings.cca_temperature
                )
                + losses.contrast(
                    rows(content.user, users), rows(category.user, users), settings.cca_temperature
                )
            )
        if cosines is not None and content is not None:
            regulariser = losses.product_similarity if settings.form == "paper" else losses.similarity
            terms["similarity"] = settings.similarity_weight * regulariser(rows(content.item, items), cosines)
        return terms

    def _ranking(self, vectors: Representations, batch: Batch) -> Tensor:
        user, item = vectors.final.user, vectors.final.item
        if self.settings.loss == "bpr":
            return losses.bpr(rows(user, batch.user), rows(item, batch.item), rows(item, batch.other))
        return losses.catalogue_softmax(
            rows(user, batch.users),
            rows(item, batch.item),
            batch.row,
            batch.weight,
            rows(item, batch.other),
            batch.touched,
            self.settings.temperature,
            len(batch.other) / len(item),
        )

    def _length(self, vectors: Representations, batch: Batch) -> Tensor:
        """Half the squared length: of every pair's vectors under BPR, as the paper's code has it, else of
        each distinct user's and item's."""
        user, item = vectors.final.user, vectors.final.item
        if self.settings.loss == "bpr":
            return losses.half_square(rows(user, batch.user), rows(item, batch.item), rows(item, batch.other))
        return losses.half_square(rows(user, batch.users), rows(item, batch.items))
