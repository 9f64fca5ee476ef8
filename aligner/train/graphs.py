"""The two graphs that representations travel along, and how they travel.

Users and items exchange their ID vectors over the interactions (He et al., LightGCN, SIGIR 2020, equation 3);
items exchange content vectors over their nearest neighbours by features (AlignRec, arXiv 2403.12384, the
aggregator). Both are compressed rows built by scipy, their transposes kept beside them for the gradient.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError
from alignrec.aligner.neighbours import cosine_neighbours
from alignrec.core.vectors import unit_rows

EXACT_ITEMS = 200_000  # above, an exact search takes too long and FAISS does it
_FAISS_LINKS = 32


@dataclass(frozen=True, eq=False)
class Graph:
    """A weighted graph from columns to rows, ready for products with dense matrices.

    Attributes:
        forward: float32 CSR `[rows, columns]`.
        backward: its transpose, float32 CSR `[columns, rows]`.
    """

    forward: torch.Tensor
    backward: torch.Tensor

    @property
    def transpose(self) -> Graph:
        """The same edges the other way round."""
        return Graph(self.backward, self.forward)

    def to(self, device: torch.device) -> Graph:
        """The same graph on another device."""
        return Graph(self.forward.to(device), self.backward.to(device))

    def __matmul__(self, x: torch.Tensor) -> torch.Tensor:
        """Each row's weighted sum of `x`, float32 `[columns, d]`, with a gradient to `x`."""
        product: torch.Tensor = _Product.apply(self, x)
        return product


class _Product(torch.autograd.Function):
    """Sparse times dense. PyTorch's own gradient would transpose the matrix again at every step."""

    @staticmethod
    def forward(ctx: Any, graph: Graph, x: torch.Tensor) -> torch.Tensor:
        ctx.graph = graph
        return graph.forward @ x

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[None, torch.Tensor]:
        return None, ctx.graph.backward @ gradients[0]


def graph(matrix: sp.csr_array) -> Graph:
    """A graph of a sparse matrix."""
    return Graph(_tensor(matrix), _tensor(sp.csr_array(matrix.T)))


def bipartite(history: sp.csr_array) -> sp.csr_array:
    """Interactions weighted by 1 / sqrt(degree of the user times degree of the item).

    Args:
        history: CSR of ones `[users, items]`; users and items without interactions are allowed.

    Returns:
        float32 CSR `[users, items]`; a product with its transpose is one layer of LightGCN.
    """
    user, item = (np.asarray(history.sum(axis=axis), dtype=np.float32).ravel() for axis in (1, 0))
    rows = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
    weights = 1 / np.sqrt(user[rows] * item[history.indices])
    return sp.csr_array((weights, history.indices, history.indptr), shape=history.shape)


def content_neighbours(features: NDArray[np.floating], k: int, exact: int = EXACT_ITEMS) -> sp.csr_array:
    """Each item's nearest others by cosine and itself, the weights of an item adding up to 1.

    Args:
        features: float `[n, d]`, as a rule mean-centred; an item with zeros keeps itself alone.
        k: neighbours beside the item itself, at least 1; those with a negative cosine get no weight.
        exact: above so many items, FAISS searches a navigable graph (HNSW): approximate, and fast.

    Returns:
        float32 CSR `[n, n]`, without NaN whatever rows are zero.

    Raises:
        FeatureError: there are more than `exact` items, and FAISS is not installed.
    """
    edges = cosine_neighbours(features, k) if len(features) <= exact else _approximate(features, k)
    edges.data = np.maximum(edges.data, 0)
    edges.eliminate_zeros()
    loops = sp.csr_array(edges + sp.eye_array(len(features), dtype=np.float32, format="csr"))
    total = np.asarray(loops.sum(axis=1), dtype=np.float32).ravel()
    loops.data /= np.repeat(total, np.diff(loops.indptr))
    loops.sort_indices()
    return loops


def symmetric(neighbours: sp.csr_array) -> sp.csr_array:
    """The same neighbours weighted as the paper's code has them: cosine / sqrt(total of row times of column).

    An item's total is that of its neighbours' cosines, its own, 1, among them.

    Args:
        neighbours: as of `content_neighbours`, `[n, n]`.

    Returns:
        float32 CSR `[n, n]`; no row without an item itself, so no total is zero.
    """
    own = neighbours.diagonal()  # 1 / total, since an item's cosine with itself is 1
    rows = np.repeat(np.arange(neighbours.shape[0]), np.diff(neighbours.indptr))
    weights = neighbours.data * np.sqrt(own[neighbours.indices] / own[rows])
    return sp.csr_array((weights, neighbours.indices, neighbours.indptr), shape=neighbours.shape)


def _approximate(features: NDArray[np.floating], k: int) -> sp.csr_array:
    try:
        import faiss
    except ImportError as error:
        raise FeatureError(
            f"a content graph of {len(features)} items needs FAISS: pip install 'alignrec[faiss]', "
            f"or raise train.exact_neighbours and wait for the exact search"
        ) from error
    unit = unit_rows(features)
    present = np.flatnonzero(unit.any(axis=1))
    index = faiss.IndexHNSWFlat(unit.shape[1], _FAISS_LINKS, faiss.METRIC_INNER_PRODUCT)
    index.add(unit[present])
    cosines, places = index.search(unit[present], min(k + 1, len(present)))
    row, column = np.repeat(present, places.shape[1]), present[places.ravel()]
    keep = (places.ravel() >= 0) & (row != column)
    edges = sp.csr_array((cosines.ravel()[keep], (row[keep], column[keep])), shape=(len(unit),) * 2)
    return _at_most(edges, k)


def _at_most(edges: sp.csr_array, k: int) -> sp.csr_array:
    """The `k` heaviest edges of each row."""
    rows = np.repeat(np.arange(edges.shape[0]), np.diff(edges.indptr))
    order = np.lexsort((edges.indices, -edges.data, rows))
    keep = order[np.arange(len(order)) - edges.indptr[rows] < k]
    return sp.csr_array((edges.data[keep], (rows[keep], edges.indices[keep])), shape=edges.shape)


def _tensor(matrix: sp.csr_array) -> torch.Tensor:
    matrix.sort_indices()
    kind = np.int32 if max(matrix.nnz, *matrix.shape) < 2**31 else np.int64
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Sparse")
        return torch.sparse_csr_tensor(
            torch.from_numpy(matrix.indptr.astype(kind)),
            torch.from_numpy(matrix.indices.astype(kind)),
            torch.from_numpy(matrix.data.astype(np.float32)),
            size=matrix.shape,
            check_invariants=True,
        )
