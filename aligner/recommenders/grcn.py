"""GRCN: edges of the interactions weigh as much as content and its user's taste agree.

Wei et al., "Graph-Refined Convolutional Network for Multimedia Recommendation with Implicit Feedback", ACM MM
2020 (arXiv 2111.02036). In its symbols:

- Items: ī_m = LeakyReLU(W_m i_m + b_m). A user's prototype u_m, learned, is routed T times to its neighbours:
  p_ui = softmax over i in N_u of ī_m·u_m; u_m ← u_m + Σ_i p_ui ī_m; the last one is ū_m.
- Affinities: s^m_u←i = softmax over i in N_u of ū_m·ī_m, s^m_i←u = softmax over u in N_i of the same.
- Pruning is soft: s_u←i = max_m ρ_u,m s^m_u←i, s_i←u = max_m ρ_i,m s^m_i←u; ρ_u and ρ_i are learned.
- IDs: e_u^l = Σ_i s_u←i e_i^(l-1), e_i^l = Σ_u s_i←u e_u^(l-1); e = Σ_l e^l, from l = 0 on.
- Score: [e_u ‖ ū_1 ‖ …]·[e_i ‖ ī_1 ‖ …]. L = L_BPR + λ ‖Θ‖²: half the squared length of a step's ID vectors
  and prototypes, an interaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from alignrec.aligner.recommenders.edges import Edges
from alignrec.aligner.recommenders.graphs import id_vectors, linear
from alignrec.aligner.recommenders.task import Floats, Recommender, Triples
from alignrec.aligner.train.losses import bpr, half_square, rows
from alignrec.aligner.train.model import UserItemVectors


class Grcn(Recommender):
    """The model and its loss.

    Args:
        history: as `Recommender`.
        features: as `Recommender`.
        device: as `Recommender`.
        dim: of ID vectors, and of each modality's.
        layers: over the refined interactions.
        routings: T.
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
        routings: int,
        l2_weight: float,
    ) -> None:
        """Draw ID vectors, prototypes and projections; the caller seeds."""
        super().__init__(history, features, device)
        self.layers, self.routings, self.l2_weight = layers, routings, l2_weight
        self.edges = Edges.of(history, device)
        self.user = id_vectors(self.users, dim)
        self.item = id_vectors(self.items, dim)
        self.prototypes = nn.ParameterList(id_vectors(self.users, dim) for _ in features)
        self.projections = nn.ModuleList(linear(values.shape[1], dim) for values in features)
        self.user_base = id_vectors(self.users, len(features))
        self.item_base = id_vectors(self.items, len(features))

    def content(self) -> list[UserItemVectors]:
        """ū and ī of each modality."""
        edges, found = self.edges, []
        for values, projection, start in zip(self.features, self.projections, self.prototypes, strict=True):
            item = leaky_relu(projection(values))
            user: Tensor = start
            for _ in range(self.routings):
                user = user + edges.sums(edges.softmax(edges.dots(user, item)), item)
            found.append(UserItemVectors(user, item))
        return found

    def refined(self, content: Sequence[UserItemVectors]) -> tuple[Tensor, Tensor]:
        """Each edge's weight to its user and to its item, float `[e]`."""
        by_user, by_item = self.edges, self.edges.transpose
        scores = [by_user.dots(vectors.user, vectors.item) for vectors in content]
        to_user, to_item = ([edges.softmax(each) for each in scores] for edges in (by_user, by_item))
        user_base, item_base = rows(self.user_base, by_user.row), rows(self.item_base, by_item.row)
        return (
            (user_base * torch.stack(to_user, dim=1)).amax(dim=1),
            (item_base * torch.stack(to_item, dim=1)).amax(dim=1),
        )

    def represent(self) -> UserItemVectors:
        """IDs after they spread over refined edges, and content beside them."""
        by_user, by_item, content = self.edges, self.edges.transpose, self.content()
        to_user, to_item = self.refined(content)
        user: Tensor = self.user
        item: Tensor = self.item
        users, items = [user], [item]
        for _ in range(self.layers):
            user, item = by_user.sums(to_user, item), by_item.sums(to_item, user)
            users.append(user)
            items.append(item)
        return UserItemVectors(
            torch.cat([torch.stack(users).sum(dim=0), *(vectors.user for vectors in content)], dim=1),
            torch.cat([torch.stack(items).sum(dim=0), *(vectors.item for vectors in content)], dim=1),
        )

    def losses(self, batch: Triples) -> dict[str, Tensor]:
        """BPR, and the length of what is learned for each user and item."""
        vectors = self.represent()
        user = rows(vectors.user, batch.user)
        terms = {"bpr": bpr(user, rows(vectors.item, batch.positive), rows(vectors.item, batch.negative))}
        if self.l2_weight:
            learned = [rows(x, batch.user) for x in (self.user, *self.prototypes)]
            learned += [rows(self.item, items) for items in (batch.positive, batch.negative)]
            terms["l2"] = self.l2_weight * half_square(*learned)
        return terms
