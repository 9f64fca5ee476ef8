"""AlignRec's trainable half: LightGCN for IDs, the aggregator for content, the fuser that adds them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, normalize

from alignrec.aligner.train.graphs import Graph

_SCALE = 0.1  # standard deviation of ID vectors at the start


@dataclass(frozen=True, eq=False)
class UserItemVectors:
    """Vectors of all users and of all items, float `[users, d]` and `[items, d]`."""

    user: Tensor
    item: Tensor

    def __add__(self, other: UserItemVectors) -> UserItemVectors:
        """Row by row."""
        return UserItemVectors(self.user + other.user, self.item + other.item)

    def shares(self, members: int) -> list[UserItemVectors]:
        """Each member's columns, `[users, d / members]` and `[items, d / members]`."""
        parts = (self.user.chunk(members, dim=1), self.item.chunk(members, dim=1))
        return [UserItemVectors(user, item) for user, item in zip(*parts, strict=True)]


@dataclass(frozen=True, eq=False)
class Representations:
    """What a model makes of all users and items.

    Attributes:
        final: what is recommended by.
        category: from IDs alone.
        content: from content alone; None for a model that has none.
    """

    final: UserItemVectors
    category: UserItemVectors
    content: UserItemVectors | None = None

    def shares(self, members: int) -> list[Representations]:
        """Each member's: nothing in this model mixes columns, so each share is a model of its own."""
        final, category = self.final.shares(members), self.category.shares(members)
        content = [None] * members if self.content is None else self.content.shares(members)
        return [Representations(*share) for share in zip(final, category, content, strict=True)]


def unit_shares(x: Tensor, members: int) -> Tensor:
    """Vectors, float `[n, d]`, of length 1 or 0 to which every member's share contributes alike.

    A product of two of them is the mean of the members' cosines.
    """
    return (normalize(x.reshape(len(x), members, -1), dim=2) / math.sqrt(members)).reshape(x.shape)


class Collaborative(nn.Module):
    """LightGCN (He et al., SIGIR 2020): the mean of ID vectors and of what they become layer by layer.

    Without layers it is matrix factorisation.
    """

    def __init__(self, users: int, items: int, dim: int, layers: int) -> None:
        """Draw ID vectors; the caller seeds."""
        super().__init__()
        self.user = nn.Parameter(torch.randn(users, dim) * _SCALE)
        self.item = nn.Parameter(torch.randn(items, dim) * _SCALE)
        self.layers = layers

    def propagate(self, interactions: Graph, columns: slice | None = None) -> UserItemVectors:
        """Vectors after propagation over `interactions`, `[users, items]`; some of their columns, or all."""
        user: Tensor = self.user
        item: Tensor = self.item
        if columns is not None:
            user, item = user[:, columns], item[:, columns]
        users, items = [user], [item]
        for _ in range(self.layers):
            user, item = interactions @ item, interactions.transpose @ user
            users.append(user)
            items.append(item)
        return UserItemVectors(torch.stack(users).mean(dim=0), torch.stack(items).mean(dim=0))

    def forward(self, interactions: Graph, columns: slice | None = None) -> Representations:
        """IDs alone; some columns of the vectors, or all."""
        vectors = self.propagate(interactions, columns)
        return Representations(vectors, vectors)


class AlignRec(Collaborative):
    """IDs and content together (arXiv 2403.12384, the sections on the aggregator and the fuser).

    Args:
        users: number of users.
        features: float32 `[items, e]`, unit rows.
        neighbours: content graph `[items, items]`.
        dim: size of the vectors.
        layers: of LightGCN.
        content_layers: of the content graph.
        paper: whether ID vectors and the gate start as in the paper's code (Glorot and Bengio, AISTATS 2010).
        trained_features: whether training changes the features that the gate sees.
    """

    features: Tensor

    def __init__(
        self,
        users: int,
        features: Tensor,
        neighbours: Graph,
        dim: int,
        layers: int,
        content_layers: int,
        *,
        paper: bool = False,
        trained_features: bool = False,
    ) -> None:
        """Draw ID vectors and a gate; the caller seeds."""
        super().__init__(users, len(features), dim, layers)
        self.projection = nn.Linear(features.shape[1], dim)
        if paper:
            for weight in (self.user, self.item, self.projection.weight):
                nn.init.xavier_uniform_(weight)
        if trained_features:
            self.features = nn.Parameter(features.clone())
        else:
            self.register_buffer("features", features, persistent=False)
        self.neighbours = neighbours
        self.content_layers = content_layers

    def purified(self, columns: slice | None = None) -> Tensor:
        """Item vectors gated by their features: what is worth passing on to similar items."""
        if columns is None:
            return self.item * torch.sigmoid(self.projection(self.features))
        gate = linear(self.features, self.projection.weight[columns], self.projection.bias[columns])
        return self.item[:, columns] * torch.sigmoid(gate)

    def passed(self, columns: slice | None = None) -> list[Tensor]:
        """What items pass on to similar ones in each layer of the content graph."""
        layers = [self.purified(columns)]
        for _ in range(self.content_layers - 1):
            layers.append(self.neighbours @ layers[-1])
        return layers

    def forward(self, interactions: Graph, columns: slice | None = None) -> Representations:
        """Content travels to similar items, then to the users who chose them; the fuser adds both.

        No column depends on another one: some can be had without the others.
        """
        category = self.propagate(interactions, columns)
        item = self.neighbours @ self.passed(columns)[-1]
        content = UserItemVectors(interactions @ item, item)
        return Representations(category + content, category, content)
