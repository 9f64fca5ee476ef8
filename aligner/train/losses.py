"""The terms of AlignRec's objective (arXiv 2403.12384, the sections on training), each a scalar to minimise.

Terms over a batch take each user and each item once: a repeated row would be a negative of itself.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy, embedding, logsigmoid, normalize, softplus


def rows(matrix: Tensor, index: Tensor) -> Tensor:
    """Some rows of a matrix, `matrix[index]`, with a gradient that is the same on any number of threads.

    Indexing adds the gradients of repeated rows up as threads come by, an embedding in the order of `index`.

    Args:
        matrix: float `[m, d]`.
        index: int64 `[n]`, rows of it; repeats allowed.
    """
    return embedding(index, matrix)


def bpr(user: Tensor, positive: Tensor, negative: Tensor) -> Tensor:
    """Bayesian personalised ranking, the paper's main term (Rendle et al., UAI 2009).

    The mean of -log sigmoid(u·p - u·n).

    Args:
        user: float `[n, d]`.
        positive: float `[n, d]`, an item of each user.
        negative: float `[n, d]`, an item that the user never touched.
    """
    return -logsigmoid((user * (positive - negative)).sum(dim=1)).mean()


def catalogue_softmax(
    user: Tensor,
    positive: Tensor,
    row: Tensor,
    weight: Tensor,
    candidate: Tensor,
    touched: Tensor,
    temperature: float,
    share: float,
) -> Tensor:
    """User-item alignment as a choice among the catalogue: softmax cross-entropy of cosines.

    A positive competes with the candidates that its user never touched; the user's other positives are left
    out. It stands in BPR's place (Wu et al., "On the Effectiveness of Sampled Softmax Loss for Item
    Recommendation", ACM TOIS 2024).

    Args:
        user: float `[u, d]`, distinct users.
        positive: float `[n, d]`, the items of the pairs.
        row: int64 `[n]`, the user of each pair, a row of `user`.
        weight: float `[n]`, how much each pair counts in the mean, above 0.
        candidate: float `[c, d]`, distinct items.
        touched: bool `[u, c]`, which candidates each user has touched.
        temperature: above 0; a small one looks at the hardest negatives.
        share: the candidates' share of the catalogue, drawn uniformly; 1 for all of it.
    """
    unit = normalize(user, dim=1)
    chosen = (rows(unit, row) * normalize(positive, dim=1)).sum(dim=1) / temperature
    others = unit @ normalize(candidate, dim=1).T / temperature
    total = others.masked_fill(touched, -torch.inf).logsumexp(dim=1) - math.log(share)
    return (softplus(total[row] - chosen) * weight).sum() / weight.sum()


def contrast(content: Tensor, category: Tensor, temperature: float) -> Tensor:
    """Content-category alignment: InfoNCE of each row's content with its ID vector, all others negatives.

    Args:
        content: float `[n, d]`.
        category: float `[n, d]`, the ID vectors of the same, distinct users or items.
        temperature: above 0.
    """
    logits = normalize(content, dim=1) @ normalize(category, dim=1).T / temperature
    return cross_entropy(logits, torch.arange(len(logits), device=logits.device))


def user_item(user: Tensor, item: Tensor) -> Tensor:
    """User-item alignment of the paper: one less the cosine of those who interacted, float `[n, d]` each."""
    return 1 - cosine_similarity(user, item, dim=1).mean()


def similarity(content: Tensor, target: Tensor) -> Tensor:
    """Similarity-preserving regularisation: ‖cos(content) - cos(features)‖_F / n.

    Args:
        content: float `[n, d]`, the refined vectors of distinct items.
        target: float `[n, n]`, cosines of their pretrained features.
    """
    return product_similarity(normalize(content, dim=1), target)


def product_similarity(content: Tensor, target: Tensor) -> Tensor:
    """The same with products for cosines, as the paper's code has it: ‖E Eᵀ - cos(features)‖_F / n."""
    drift: Tensor = torch.linalg.matrix_norm(content @ content.T - target)
    return drift / len(content)


def half_square(*parts: Tensor) -> Tensor:
    """L2 regularisation: half the squared length of all vectors, over the first part's number of rows."""
    return 0.5 * torch.stack([part.square().sum() for part in parts]).sum() / len(parts[0])
