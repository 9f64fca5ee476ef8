"""MMGCN: a graph convolution over the interactions for each modality, tied together by IDs.

Wei et al., "MMGCN: Multi-modal Graph Convolution Network for Personalized Recommendation of Micro-video", ACM
MM 2019. In its symbols, for a user u and likewise for an item:

- Aggregation, the mean: h_m = LeakyReLU(1/|N_u| Σ_i W_1,m i_m), over the interactions.
- Combination, element by element: û_m = LeakyReLU(W_2,m u_m) + u_id, and u_m ← LeakyReLU(W_3,m h_m + û_m).
- Before the first layer u_m is learned and i_m = P_m x_m + b_m are projected features, so that W_1 and W_2 of
  the first layer are as small as the others. Each layer has its own W.
- Final: Σ_m u_m after the last layer. L = L_BPR + λ ‖Θ‖²: half the squared length of a step's ID vectors, an
  interaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from alignrec.aligner.recommenders.graphs import id_vectors, linear
from alignrec.aligner.recommenders.task import Floats, Recommender, Triples
from alignrec.aligner.train.graphs import graph
from alignrec.aligner.train.losses import bpr, half_square, rows
from alignrec.aligner.train.model import UserItemVectors


class Convolution(nn.Module):
    """One layer of one modality: W_1, W_2 and W_3."""

    def __init__(self, dim: int) -> None:
        """Draw them; the caller seeds."""
        super().__init__()
        self.neighbour = linear(dim, dim, bias=False)
        self.own = linear(dim, dim, bias=False)
        self.aggregate = linear(dim, dim, bias=False)

    def forward(self, mean: Tensor, vectors: Tensor, ids: Tensor) -> Tensor:
        """Vectors, float `[n, d]`, given the mean of each one's neighbours and its ID vector."""
        aggregated = leaky_relu(self.neighbour(mean))
        own = leaky_relu(self.own(vectors)) + ids
        return leaky_relu(self.aggregate(aggregated) + own)


class Mmgcn(Recommender):
    """The model and its loss.

    Args:
        history: as `Recommender`.
        features: as `Recommender`.
        device: as `Recommender`.
        dim: of all vectors.
        layers: over the interactions.
        l2_weight: λ.
    """

    def __init__(
        self,
        history: sp.csr_array,
        features: Sequence[Floats],
        device: torch.device,
        *,
        dim: int,
        layers: int,
        l2_weight: float,
    ) -> None:
        """Draw ID vectors and all layers; the caller seeds."""
        super().__init__(history, features, device)
        self.l2_weight = l2_weight
        self.user = id_vectors(self.users, dim)
        self.item = id_vectors(self.items, dim)
        self.user_views = nn.ParameterList(id_vectors(self.users, dim) for _ in features)
        self.projections = nn.ModuleList(linear(values.shape[1], dim) for values in features)
        self.convolutions = nn.ModuleList(
            nn.ModuleList(Convolution(dim) for _ in range(layers)) for _ in features
        )
        self.to_user, self.to_item = (
            graph(means(sides)).to(device) for sides in (history, sp.csr_array(history.T))
        )

    def represent(self) -> UserItemVectors:
        """The sum of all modalities."""
        users, items = [], []
        for values, projection, start, layers in zip(
            self.features, self.projections, self.user_views, self.convolutions, strict=True
        ):
            assert isinstance(layers, nn.ModuleList)
            user, item = start, projection(values)
            for layer in layers:
                user, item = (
                    layer(self.to_user @ item, user, self.user),
                    layer(self.to_item @ user, item, self.item),
                )
            users.append(user)
            items.append(item)
        return UserItemVectors(torch.stack(users).sum(dim=0), torch.stack(items).sum(dim=0))

    def losses(self, batch: Triples) -> dict[str, Tensor]:
        """BPR, and the length of ID vectors."""
        vectors = self.represent()
        user = rows(vectors.user, batch.user)
        terms = {"bpr": bpr(user, rows(vectors.item, batch.positive), rows(vectors.item, batch.negative))}
        if self.l2_weight:
            learned = [rows(self.item, items) for items in (batch.positive, batch.negative)]
            terms["l2"] = self.l2_weight * half_square(rows(self.user, batch.user), *learned)
        return terms


def means(history: sp.csr_array) -> sp.csr_array:
    """Each row's entries divided by their number: float32 CSR of the history's shape."""
    degree = np.diff(history.indptr)
    weights = np.repeat(1 / np.maximum(degree, 1), degree).astype(np.float32)
    return sp.csr_array((weights, history.indices, history.indptr), shape=history.shape)
