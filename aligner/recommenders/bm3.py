"""BM3: views of the same vectors are brought together, without graphs of content and without negatives.

Zhou et al., "Bootstrap Latent Representations for Multi-modal Recommendation", WWW 2023 (arXiv 2207.05969).
In its symbols:

- h_m = e_m W_m + b_m, a modality's features projected; h_u, h_i = LightGCN of IDs, and h_i has the item's ID
  vector added once more.
- Two views of a vector h: online h̃ = h W_p + b_p, by one predictor for all; target ḣ = dropout(h), without
  gradient.
- With C(a, b) the mean of -cos(a, b): L_rec = C(h̃_u, ḣ_i) + C(ḣ_u, h̃_i), over interactions;
  L_align = Σ_m C(h̃_m, ḣ_i); L_mask = Σ_m C(h̃_m, ḣ_m).
- L = L_rec + L_align + L_mask + λ ‖Θ‖²: half the squared length of all ID vectors, a user. Taken of a step's
  vectors alone, it would shorten popular items most.
- Score: h̃_u · h̃_i.
"""

from __future__ import annotations

from collections.abc import Sequence

import scipy.sparse as sp
import torch
from torch import Tensor, nn
from torch.nn.functional import cosine_similarity, dropout

from alignrec.aligner.recommenders.graphs import id_vectors, linear, spread
from alignrec.aligner.recommenders.task import Floats, Recommender, Triples
from alignrec.aligner.train.losses import half_square, rows
from alignrec.aligner.train.model import UserItemVectors


class Bm3(Recommender):
    """The model and its loss.

    Args:
        history: as `Recommender`.
        features: as `Recommender`.
        device: as `Recommender`.
        dim: of all vectors.
        layers: over the interactions.
        dropout: share of a target's dimensions that are dropped, in [0, 1).
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
        dropout: float,
        l2_weight: float,
    ) -> None:
        """Draw ID vectors, projections and the predictor; the caller seeds."""
        super().__init__(history, features, device)
        self.layers, self.dropout, self.l2_weight = layers, dropout, l2_weight
        self.user = id_vectors(self.users, dim)
        self.item = id_vectors(self.items, dim)
        self.projections = nn.ModuleList(linear(values.shape[1], dim) for values in features)
        self.predictor = linear(dim, dim)

    def online(self) -> UserItemVectors:
        """h_u and h_i, before the predictor."""
        vectors = spread(self.interactions, UserItemVectors(self.user, self.item), self.layers)
        return UserItemVectors(vectors.user, vectors.item + self.item)

    def represent(self) -> UserItemVectors:
        """What the predictor makes of them."""
        vectors = self.online()
        return UserItemVectors(self.predictor(vectors.user), self.predictor(vectors.item))

    def losses(self, batch: Triples) -> dict[str, Tensor]:
        """Reconstruction of the interactions, alignment of modalities with IDs, and of each with itself."""
        vectors = self.online()
        user, item = rows(vectors.user, batch.user), rows(vectors.item, batch.positive)
        seen_user, seen_item = self._target(user), self._target(item)
        terms = {
            "reconstruction": _apart(self.predictor(user), seen_item)
            + _apart(self.predictor(item), seen_user)
        }
        for place, (projection, values) in enumerate(zip(self.projections, self.features, strict=True), 1):
            content = projection(values[batch.positive])
            predicted = self.predictor(content)
            terms[f"alignment {place}"] = _apart(predicted, seen_item)
            terms[f"masking {place}"] = _apart(predicted, self._target(content))
        if self.l2_weight:
            terms["l2"] = self.l2_weight * half_square(self.user, self.item)
        return terms

    def _target(self, vectors: Tensor) -> Tensor:
        return dropout(vectors.detach(), self.dropout, self.training)


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """C of the paper: the mean of minus the cosine, row by row."""
    return -cosine_similarity(one, other, dim=1).mean()
