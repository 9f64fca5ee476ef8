"""A history and two modalities small enough for loops, and the sums that every reference is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from alignrec.aligner.recommenders.task import Triples

Doubles = NDArray[np.float64]

CPU = torch.device("cpu")
USERS, ITEMS, DIM = 4, 6, 3
# The last user has no interactions, and nobody took the last item.
LIKES = np.array(
    [[1, 1, 0, 0, 1, 0], [0, 1, 1, 0, 0, 0], [1, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 0]], dtype=np.float32
)
HISTORY = sp.csr_array(LIKES)
_rng = np.random.default_rng(5)
IMAGE = _rng.standard_normal((ITEMS, 5)).astype(np.float32)
TEXT = _rng.standard_normal((ITEMS, 4)).astype(np.float32)
TEXT[2] = 0  # lacks it
FEATURES = [IMAGE, TEXT]
BATCH = Triples(torch.tensor([0, 0, 1, 2]), torch.tensor([0, 1, 1, 3]), torch.tensor([2, 3, 0, 1]))


def numbers(tensor: torch.Tensor) -> Doubles:
    """A tensor's values."""
    return tensor.detach().numpy().astype(np.float64)


def neighbours_of_user(user: int) -> list[int]:
    return [i for i in range(ITEMS) if LIKES[user, i]]


def neighbours_of_item(item: int) -> list[int]:
    return [u for u in range(USERS) if LIKES[u, item]]


def one_layer(user: Doubles, item: Doubles, likes: NDArray[np.floating] = LIKES) -> tuple[Doubles, Doubles]:
    """e_u = Σ_i e_i / √(|N_u| |N_i|), and e_i likewise, sum by sum."""
    next_user, next_item = np.zeros_like(user), np.zeros_like(item)
    for u, i in zip(*np.nonzero(likes), strict=True):
        weight = 1 / np.sqrt(likes[u].sum() * likes[:, i].sum())
        next_user[u] += weight * item[i]
        next_item[i] += weight * user[u]
    return next_user, next_item


def lightgcn(
    user: Doubles, item: Doubles, layers: int, likes: NDArray[np.floating] = LIKES
) -> tuple[Doubles, Doubles]:
    """The mean of all layers."""
    users, items = [user], [item]
    for _ in range(layers):
        user, item = one_layer(user, item, likes)
        users.append(user)
        items.append(item)
    return np.mean(users, axis=0), np.mean(items, axis=0)


def cosine(a: Doubles, b: Doubles) -> float:
    """0 with a vector of zeros."""
    length = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / length if length else 0.0


def similar_items(features: NDArray[np.floating], k: int, *, weighted: bool) -> Doubles:
    """D^-1/2 S D^-1/2 of each item's top k by cosine, the item itself among them."""
    edges = np.zeros((len(features),) * 2)
    for i in range(len(features)):
        cosines = [cosine(features[i].astype(np.float64), other.astype(np.float64)) for other in features]
        present = [j for j in np.argsort(cosines)[::-1] if features[i].any() and features[j].any()]
        for j in present[:k]:
            edges[i, j] = max(cosines[j], 0) if weighted else 1
    degree = edges.sum(axis=1)
    for i, j in zip(*np.nonzero(edges), strict=True):
        edges[i, j] /= np.sqrt(degree[i] * degree[j])
    return edges


def bpr(user: Doubles, item: Doubles, batch: Triples = BATCH) -> float:
    """The mean of -log σ(u·i - u·j)."""
    terms = []
    for u, i, j in zip(*(x.tolist() for x in (batch.user, batch.positive, batch.negative)), strict=True):
        terms.append(np.log1p(np.exp(-(user[u] @ item[i] - user[u] @ item[j]))))
    return float(np.mean(terms))


def half_square(user: Doubles, items: Sequence[Doubles]) -> float:
    """Half the squared length of a step's vectors, a step's interaction."""
    return 0.5 * sum(float((part**2).sum()) for part in (user, *items)) / len(user)


def info_nce(one: Doubles, other: Doubles, temperature: float) -> float:
    """Row by row -log of exp(cos / τ)'s share, among all rows of the other."""
    terms = []
    for i in range(len(one)):
        scores = np.exp([cosine(one[i], row) / temperature for row in other])
        terms.append(-np.log(scores[i] / scores.sum()))
    return float(np.mean(terms))
