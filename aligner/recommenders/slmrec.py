"""SLMRec: modalities spread over the interactions apart, and align with one another from fine to coarse.

Tao et al., "Self-supervised Learning for Multimedia Recommendation", IEEE TMM 2022. In its symbols:

- Views: IDs, and each modality m with item vectors e_m = W_m x_m + b_m and user vectors of its own. Each view
  spreads over the interactions by LightGCN.
- Final: e_u = F_U [e_u,id ‖ e_u,1 ‖ …], e_i = F_I [e_i,id ‖ e_i,1 ‖ …], linear layers.
- Fine and coarse alignment (FAC) of a step's items, modality after modality into an ever coarser space:
  z_0 = e_i,id; z_m = G_m z_m-1 with y_m = H_m e_i,m; L_ssl = Σ_m InfoNCE(z_m, y_m; τ) by cosine.
- L = L_BPR + α L_ssl + λ ‖E‖²: half the squared length of a step's final vectors, an interaction.

Of the paper's three tasks this is FAC alone, without dropout and masking of features (FD, FM).
"""

from __future__ import annotations

from collections.abc import Sequence

import scipy.sparse as sp
import torch
from torch import Tensor, nn

from alignrec.aligner.recommenders.graphs import id_vectors, linear, spread
from alignrec.aligner.recommenders.task import Floats, Recommender, Triples, distinct
from alignrec.aligner.train.losses import bpr, contrast, half_square, rows
from alignrec.aligner.train.model import UserItemVectors


class SLMRec(Recommender):
    """The model and its loss.

    Args:
        history: as `Recommender`.
        features: as `Recommender`.
        device: as `Recommender`.
        dim: of all vectors.
        layers: over the interactions.
        alignment_weight: α.
        temperature: τ.
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
        alignment_weight: float,
        temperature: float,
        l2_weight: float,
    ) -> None:
        """Draw ID vectors and all layers; the caller seeds."""
        super().__init__(history, features, device)
        self.layers = layers
        self.alignment_weight, self.temperature = alignment_weight, temperature
        self.l2_weight = l2_weight
        views = 1 + len(features)
        self.user_views = nn.ParameterList(id_vectors(self.users, dim) for _ in range(views))
        self.item = id_vectors(self.items, dim)
        self.projections = nn.ModuleList(linear(values.shape[1], dim) for values in features)
        self.user_fusion, self.item_fusion = linear(views * dim, dim), linear(views * dim, dim)
        self.coarser = nn.ModuleList(linear(dim, dim) for _ in features)
        self.matched = nn.ModuleList(linear(dim, dim) for _ in features)

    def views(self) -> list[UserItemVectors]:
        """The vectors of IDs, then of each modality, after they spread."""
        projected = [project(x) for project, x in zip(self.projections, self.features, strict=True)]
        starts = zip(self.user_views, [self.item, *projected], strict=True)
        return [spread(self.interactions, UserItemVectors(*start), self.layers) for start in starts]

    def represent(self) -> UserItemVectors:
        """All views fused."""
        return self._fused(self.views())

    def losses(self, batch: Triples) -> dict[str, Tensor]:
        """BPR on fused vectors, and alignment of the views of items."""
        views = self.views()
        vectors = self._fused(views)
        user = rows(vectors.user, batch.user)
        positive, negative = rows(vectors.item, batch.positive), rows(vectors.item, batch.negative)
        terms = {"bpr": bpr(user, positive, negative)}
        if self.alignment_weight:
            items = distinct(batch.positive)
            space, *content = [rows(view.item, items) for view in views]
            parts = []
            for coarser, matched, vectors_of_one in zip(self.coarser, self.matched, content, strict=True):
                space = coarser(space)
                parts.append(contrast(space, matched(vectors_of_one), self.temperature))
            terms["alignment"] = self.alignment_weight * torch.stack(parts).sum()
        if self.l2_weight:
            terms["l2"] = self.l2_weight * half_square(user, positive, negative)
        return terms

    def _fused(self, views: Sequence[UserItemVectors]) -> UserItemVectors:
        return UserItemVectors(
            self.user_fusion(torch.cat([view.user for view in views], dim=1)),
            self.item_fusion(torch.cat([view.item for view in views], dim=1)),
        )
