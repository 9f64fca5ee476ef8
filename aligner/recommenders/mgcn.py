"""MGCN: content is purified by behaviour, spread in views of its own, and fused as behaviour prefers.

Yu et al., "Multi-View Graph Convolutional Network for Multimedia Recommendation", ACM MM 2023
(arXiv 2308.03588). In its symbols:

- Purifier: ë_m = e_id ⊙ σ(W_2 ė_m + b_2) with ė_m = W_1 e_m + b_1, each modality having its own W and b.
- User-item view: ē_id = LightGCN of IDs. Item-item view: ē_i,m = S̃_m ë_m, where S_m holds the cosines of each
  item's top k in the modality and S̃ = D^-1/2 S D^-1/2; ē_u,m = Σ_i ē_i,m / √(|N_u| |N_i|).
- Fuser, row by row: α_m = softmax over m of q·tanh(W_4 ē_m + b_4); e_s = Σ_m α_m ē_m; ẽ_m = ē_m - e_s;
  P_m = σ(W_3,m ē_id + b_3,m); e_mul = (e_s + Σ_m ẽ_m ⊙ P_m) / (|M| + 1), the mean of what is shared and of
  each modality's own, as the authors' published code has it; e_s + 1/|M| Σ_m ẽ_m ⊙ P_m recommends worse.
- Final: ē_id + e_mul. L = L_BPR + λ_C L_C + λ_E ‖E‖²: L_C is InfoNCE of e_mul with ē_id by cosine, for a
  step's items and for its users; ‖E‖² is half the squared length of a step's final vectors, an interaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import scipy.sparse as sp
import torch
from torch import Tensor, nn

from alignrec.aligner.recommenders.graphs import id_vectors, item_graph, linear, spread
from alignrec.aligner.recommenders.task import Floats, Recommender, Triples, distinct
from alignrec.aligner.train.graphs import graph
from alignrec.aligner.train.losses import bpr, contrast, half_square, rows
from alignrec.aligner.train.model import Representations, UserItemVectors


class Mgcn(Recommender):
    """The model and its loss.

    Args:
        history: as `Recommender`.
        features: as `Recommender`.
        device: as `Recommender`.
        dim: of all vectors.
        layers: of the user-item view.
        item_layers: of the item-item view.
        neighbours: k, the item itself among them.
        contrast_weight: λ_C.
        temperature: of L_C.
        l2_weight: λ_E.
    """

    def __init__(
        self,
        history: sp.csr_array,
        features: Sequence[Floats],
        device: torch.device,
        *,
        dim: int,
        layers: int,
        item_layers: int,
        neighbours: int,
        contrast_weight: float,
        temperature: float,
        l2_weight: float,
    ) -> None:
        """Draw ID vectors and all layers; the caller seeds."""
        super().__init__(history, features, device)
        self.layers, self.item_layers = layers, item_layers
        self.contrast_weight, self.temperature, self.l2_weight = contrast_weight, temperature, l2_weight
        self.user = id_vectors(self.users, dim)
        self.item = id_vectors(self.items, dim)
        self.projections = nn.ModuleList(linear(values.shape[1], dim) for values in features)
        self.gates = nn.ModuleList(linear(dim, dim) for _ in features)
        self.preferences = nn.ModuleList(linear(dim, dim) for _ in features)
        self.attention = nn.Sequential(linear(dim, dim), nn.Tanh(), linear(dim, 1, bias=False))
        graphs = [item_graph(values, neighbours, weighted=True) for values in features]
        self.similar = [graph(edges).to(device) for edges in graphs]

    def views(self) -> Representations:
        """Final vectors, those of behaviour (`category`) and the fused ones (`content`)."""
        behaviour = spread(self.interactions, UserItemVectors(self.user, self.item), self.layers)
        items = []
        for values, projection, gate, similar in zip(
            self.features, self.projections, self.gates, self.similar, strict=True
        ):
            item = self.item * torch.sigmoid(gate(projection(values)))
            for _ in range(self.item_layers):
                item = similar @ item
            items.append(item)
        users = [self.interactions @ item for item in items]
        content = UserItemVectors(self._fused(behaviour.user, users), self._fused(behaviour.item, items))
        return Representations(behaviour + content, behaviour, content)

    def _fused(self, behaviour: Tensor, content: list[Tensor]) -> Tensor:
        """The mean of what all modalities share and of each one's own, as much of it as behaviour prefers."""
        weights = torch.cat([self.attention(x) for x in content], dim=1).softmax(dim=1)
        shared = sum(
            (weights[:, m : m + 1] * x for m, x in enumerate(content)), start=torch.zeros_like(behaviour)
        )
        specific = [
            (x - shared) * torch.sigmoid(preference(behaviour))
            for x, preference in zip(content, self.preferences, strict=True)
        ]
        return torch.stack([shared, *specific]).mean(dim=0)

    def represent(self) -> UserItemVectors:
        """Behaviour and content together."""
        return self.views().final

    def losses(self, batch: Triples) -> dict[str, Tensor]:
        """BPR on final vectors, and agreement of content with behaviour."""
        views = self.views()
        final, behaviour, content = views.final, views.category, views.content
        assert content is not None
        user = rows(final.user, batch.user)
        positive, negative = rows(final.item, batch.positive), rows(final.item, batch.negative)
        terms = {"bpr": bpr(user, positive, negative)}
        if self.contrast_weight:
            items, users = distinct(batch.positive), distinct(batch.user)
            terms["contrast"] = self.contrast_weight * (
                contrast(rows(content.item, items), rows(behaviour.item, items), self.temperature)
                + contrast(rows(content.user, users), rows(behaviour.user, users), self.temperature)
            )
        if self.l2_weight:
            terms["l2"] = self.l2_weight * half_square(user, positive, negative)
        return terms
