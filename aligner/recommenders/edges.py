"""Interactions whose weights are learned: products along them, without a vector for each one in memory."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class _Pattern:
    """Where the edges are in compressed rows.

    Attributes:
        starts: int64 `[rows + 1]`.
        columns: int64 `[e]`.
        order: int64 `[e]`, the numbers of the edges as they lie here; None where these are their order.
        shape: rows and columns.
    """

    starts: Tensor
    columns: Tensor
    order: Tensor | None
    shape: tuple[int, int]

    def matrix(self, weights: Tensor) -> Tensor:
        """The edges' weights, float `[e]`, as sparse CSR."""
        values = weights if self.order is None else weights[self.order]
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse")
            return torch.sparse_csr_tensor(
                self.starts, self.columns, values.detach(), self.shape, check_invariants=False
            )


@dataclass(frozen=True, eq=False)
class Edges:
    """Interactions one by one, in the order of their users and items.

    Attributes:
        row: int64 `[e]`, the user of each; of a `transpose` the item.
        column: int64 `[e]`, the item of each; of a `transpose` the user.
        forward: by rows.
        backward: by columns.
    """

    row: Tensor
    column: Tensor
    forward: _Pattern
    backward: _Pattern

    @classmethod
    def of(cls, history: sp.csr_array, device: torch.device) -> Edges:
        """The edges of CSR `[users, items]`."""
        history = sp.csr_array(history)
        history.sort_indices()
        numbers = sp.csr_array((np.arange(history.nnz), history.indices, history.indptr), history.shape)
        by_item = sp.csr_array(numbers.T)
        by_item.sort_indices()
        forward = _pattern(numbers, None, device)
        backward = _pattern(by_item, _tensor(by_item.data, device), device)
        row = np.repeat(np.arange(history.shape[0]), np.diff(history.indptr))
        return cls(_tensor(row, device), forward.columns, forward, backward)

    @property
    def transpose(self) -> Edges:
        """The same edges, in the same order, from items to users."""
        return Edges(self.column, self.row, self.backward, self.forward)

    def sums(self, weights: Tensor, values: Tensor) -> Tensor:
        """Each row's weighted sum over its edges, float `[rows, d]`.

        Args:
            weights: of the edges, float `[e]`.
            values: of the columns, float `[columns, d]`.
        """
        found: Tensor = _Sums.apply(self, weights, values)
        return found

    def dots(self, row_vectors: Tensor, column_vectors: Tensor) -> Tensor:
        """Each edge's inner product of its two ends, float `[e]`.

        Args:
            row_vectors: float `[rows, d]`.
            column_vectors: float `[columns, d]`.
        """
        found: Tensor = _Dots.apply(self, row_vectors, column_vectors)
        return found

    def softmax(self, scores: Tensor) -> Tensor:
        """Scores, float `[e]`, as shares among the edges of a row."""
        found: Tensor = _Softmax.apply(self, scores)
        return found

    def _totals(self, weights: Tensor) -> Tensor:
        """For each edge, the sum of weights over the edges of its row."""
        matrix = self.forward.matrix(weights)
        return (matrix @ weights.new_ones(matrix.shape[1], 1))[self.row, 0]

    def _dots(self, row_vectors: Tensor, column_vectors: Tensor) -> Tensor:
        if self.forward.order is not None:
            return self.transpose._dots(column_vectors, row_vectors)
        nothing = self.forward.matrix(row_vectors.new_zeros(len(self.row)))
        products: Tensor = torch.sparse.sampled_addmm(nothing, row_vectors, column_vectors.T, beta=0.0)
        return products.values()


class _Sums(torch.autograd.Function):
    """Sparse times dense, with gradients to both."""

    @staticmethod
    def forward(ctx: Any, edges: Edges, weights: Tensor, values: Tensor) -> Tensor:
        ctx.edges = edges
        ctx.save_for_backward(weights, values)
        return edges.forward.matrix(weights) @ values

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor | None, Tensor | None]:
        (weights, values), (gradient,) = ctx.saved_tensors, gradients
        _, of_weights, of_values = ctx.needs_input_grad
        return (
            None,
            ctx.edges._dots(gradient, values) if of_weights else None,
            ctx.edges.backward.matrix(weights) @ gradient if of_values else None,
        )


class _Dots(torch.autograd.Function):
    """A dense product at the edges alone."""

    @staticmethod
    def forward(ctx: Any, edges: Edges, row_vectors: Tensor, column_vectors: Tensor) -> Tensor:
        ctx.edges = edges
        ctx.save_for_backward(row_vectors, column_vectors)
        return edges._dots(row_vectors, column_vectors)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor | None, Tensor | None]:
        (row_vectors, column_vectors), (gradient,) = ctx.saved_tensors, gradients
        _, of_rows, of_columns = ctx.needs_input_grad
        return (
            None,
            ctx.edges.forward.matrix(gradient) @ column_vectors if of_rows else None,
            ctx.edges.backward.matrix(gradient) @ row_vectors if of_columns else None,
        )


class _Softmax(torch.autograd.Function):
    """Shares among the edges of a row."""

    @staticmethod
    def forward(ctx: Any, edges: Edges, scores: Tensor) -> Tensor:
        highest = scores.new_full((edges.forward.shape[0],), -torch.inf)
        highest = highest.scatter_reduce(0, edges.row, scores, "amax")
        powers = (scores - highest[edges.row]).exp()
        shares = powers / edges._totals(powers)
        ctx.edges = edges
        ctx.save_for_backward(shares)
        return shares

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, Tensor]:
        (shares,), (gradient,) = ctx.saved_tensors, gradients
        weighted = shares * gradient
        return None, weighted - shares * ctx.edges._totals(weighted)


def _pattern(matrix: sp.csr_array, order: Tensor | None, device: torch.device) -> _Pattern:
    return _Pattern(_tensor(matrix.indptr, device), _tensor(matrix.indices, device), order, matrix.shape)


def _tensor(values: np.ndarray[Any, Any], device: torch.device) -> Tensor:
    return torch.from_numpy(values.astype(np.int64)).to(device)
