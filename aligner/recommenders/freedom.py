"""FREEDOM: a frozen graph of similar items and a denoised graph of interactions.

Zhou and Shen, "A Tale of Two Graphs: Freezing and Denoising Graph Structures for Multimodal Recommendation",
ACM MM 2023 (arXiv 2211.06924). In its symbols:

- Item-item graph, made once: S_ij^m the cosine of items i and j in modality m; Ŝ_ij^m = 1 if j is among the
  top k of i, i itself included, else 0; S̃^m = D^-1/2 Ŝ^m D^-1/2; S = Σ_m α_m S̃^m.
- User-item graph, drawn for each epoch: ⌊|E| (1 - ρ)⌋ edges without replacement, an edge (u, i) in proportion
  to p = 1 / (√ω_u √ω_i), ω being degrees; normalised anew. At inference all edges are there.
- Vectors: h̃ = LightGCN of IDs over the user-item graph; h_i = S … S x̃_i; ĥ_u = h̃_u and ĥ_i = h̃_i + h_i.
- Loss: the mean of -log σ(ĥ_u·ĥ_i - ĥ_u·ĥ_j) + λ Σ_m -log σ(ĥ_u·h_i^m - ĥ_u·h_j^m), with h^m = x^m W_m + b_m.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor, nn

from alignrec.aligner.recommenders.graphs import id_vectors, item_graph, linear, spread
from alignrec.aligner.recommenders.task import Floats, Recommender, Triples
from alignrec.aligner.train.graphs import bipartite, graph
from alignrec.aligner.train.losses import bpr, rows
from alignrec.aligner.train.model import UserItemVectors


class Freedom(Recommender):
    """The model and its loss.

    Args:
        history: as `Recommender`.
        features: as `Recommender`.
        device: as `Recommender`.
        dim: of ID vectors.
        layers: over the interactions.
        item_layers: over similar items.
        neighbours: k.
        first_weight: α of the first modality, in [0, 1]; the others share the rest evenly. One modality alone
            has all.
        pruned: ρ, the share of interactions that an epoch leaves out, in [0, 1).
        content_weight: λ.
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
        first_weight: float,
        pruned: float,
        content_weight: float,
    ) -> None:
        """Draw ID vectors and projections; the caller seeds."""
        super().__init__(history, features, device)
        self.history = history
        self.layers, self.item_layers = layers, item_layers
        self.pruned, self.content_weight = pruned, content_weight
        self.user = id_vectors(self.users, dim)
        self.item = id_vectors(self.items, dim)
        self.projections = nn.ModuleList(linear(values.shape[1], dim) for values in features)
        others = len(features) - 1
        weights = [first_weight, *[(1 - first_weight) / others] * others] if others else [1.0]
        graphs = [item_graph(values, neighbours, weighted=False) for values in features]
        similar = sum(
            (weight * one for weight, one in zip(weights, graphs, strict=True)),
            start=sp.csr_array((self.items, self.items), dtype=np.float32),
        )
        self.similar = graph(sp.csr_array(similar)).to(device)
        self.denoised = self.interactions

    def begin_epoch(self, rng: np.random.Generator) -> None:
        """Draw the interactions that this epoch's vectors spread over."""
        kept = prune(self.history, self.pruned, rng)
        self.denoised = graph(bipartite(kept)).to(self.device)

    def represent(self) -> UserItemVectors:
        """Over all interactions at inference, over the denoised ones in training."""
        interactions = self.denoised if self.training else self.interactions
        vectors = spread(interactions, UserItemVectors(self.user, self.item), self.layers)
        item: Tensor = self.item
        for _ in range(self.item_layers):
            item = self.similar @ item
        return UserItemVectors(vectors.user, vectors.item + item)

    def losses(self, batch: Triples) -> dict[str, Tensor]:
        """BPR on final vectors, and on each modality's projected features."""
        vectors = self.represent()
        user = rows(vectors.user, batch.user)
        terms = {"bpr": bpr(user, rows(vectors.item, batch.positive), rows(vectors.item, batch.negative))}
        if self.content_weight:
            projected = [project(x) for project, x in zip(self.projections, self.features, strict=True)]
            parts = [bpr(user, rows(x, batch.positive), rows(x, batch.negative)) for x in projected]
            terms["content"] = self.content_weight * torch.stack(parts).sum()
        return terms


def prune(history: sp.csr_array, share: float, rng: np.random.Generator) -> sp.csr_array:
    """A history without a share of its interactions, rather those of popular items and busy users.

    Args:
        history: CSR of ones `[users, items]`.
        share: ρ, in [0, 1).
        rng: draws them. The edges of the shortest exponential waiting times, an edge's rate being its p, are
            as if drawn one after the other without replacement (Efraimidis and Spirakis, 2006).

    Returns:
        CSR of ones `[users, items]`.
    """
    coordinates = sp.coo_array(history)
    degree = [np.asarray(history.sum(axis=axis)).ravel() for axis in (1, 0)]
    rate = 1 / np.sqrt(degree[0][coordinates.row] * degree[1][coordinates.col])
    count = int(history.nnz * (1 - share))
    chosen = np.sort(np.argsort(rng.exponential(size=history.nnz) / rate, kind="stable")[:count])
    edges = (coordinates.data[chosen], (coordinates.row[chosen], coordinates.col[chosen]))
    return sp.csr_array(edges, shape=history.shape)
