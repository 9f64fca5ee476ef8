"""What multimodal recommenders have in common: vectors that spread over interactions or to similar items."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray
from torch import nn

from alignrec.aligner.neighbours import cosine_neighbours
from alignrec.aligner.train.graphs import Graph
from alignrec.aligner.train.model import UserItemVectors


def symmetric(edges: sp.csr_array) -> sp.csr_array:
    """D^-1/2 S D^-1/2 with D_ii the sum of row i; an item without weight keeps none.

    Args:
        edges: S, float CSR `[n, n]`, weights at least 0.

    Returns:
        float32 CSR `[n, n]`.
    """
    degree = np.asarray(edges.sum(axis=1), dtype=np.float64).ravel()
    root = np.zeros_like(degree)
    np.divide(1, np.sqrt(degree), out=root, where=degree > 0)
    rows = np.repeat(root, np.diff(edges.indptr))
    data = (edges.data * rows * root[edges.indices]).astype(np.float32)
    return sp.csr_array((data, edges.indices, edges.indptr), shape=edges.shape)


def item_graph(features: NDArray[np.floating], k: int, *, weighted: bool) -> sp.csr_array:
    """Each item's `k` nearest by cosine, the item itself among them, with symmetric degree weights.

    Args:
        features: float `[n, d]`; a row of zeros has no neighbours and is nobody's.
        k: at least 1; the item itself is the first.
        weighted: whether an edge weighs its cosine, or 1. A cosine below 0 counts as 0: degrees have roots.

    Returns:
        float32 CSR `[n, n]`: `symmetric` of the chosen edges.
    """
    present = np.asarray(features).any(axis=1).astype(np.float32)
    edges = sp.csr_array(sp.diags_array(present))
    if k > 1:
        edges = sp.csr_array(edges + cosine_neighbours(features, k - 1))
    edges.data = np.maximum(edges.data, 0) if weighted else np.ones_like(edges.data)
    edges.eliminate_zeros()
    edges.sort_indices()
    return symmetric(edges)


def spread(interactions: Graph, start: UserItemVectors, layers: int) -> UserItemVectors:
    """LightGCN (He et al., SIGIR 2020): the mean of `start` and of what it becomes layer by layer."""
    user, item = start.user, start.item
    users, items = [user], [item]
    for _ in range(layers):
        user, item = interactions @ item, interactions.transpose @ user
        users.append(user)
        items.append(item)
    return UserItemVectors(torch.stack(users).mean(dim=0), torch.stack(items).mean(dim=0))


def id_vectors(count: int, dim: int) -> nn.Parameter:
    """Vectors to be learned, float32 `[count, dim]`, drawn as Xavier has it; the caller seeds."""
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(count, dim)))


def linear(inputs: int, outputs: int, *, bias: bool = True) -> nn.Linear:
    """A linear layer with Xavier weights and a bias of zeros; the caller seeds."""
    layer = nn.Linear(inputs, outputs, bias=bias)
    nn.init.xavier_uniform_(layer.weight)
    if bias:
        nn.init.zeros_(layer.bias)
    return layer
