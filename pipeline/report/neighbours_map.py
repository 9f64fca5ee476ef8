"""Nearest neighbours of items in a feature set, and a map of it in two dimensions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

from alignrec.aligner.content_space import centre
from alignrec.aligner.neighbours import cosine_neighbours
from alignrec.core.vectors import principal_axes

NEIGHBOURS = 10
# t-SNE of fewer points shows nothing that their first two principal components do not.
FEWEST_FOR_TSNE = 20
COMPONENTS = 50
ITERATIONS = 500
GRID = 4000


@dataclass(frozen=True, eq=False)
class NeighboursMap:
    """The neighbours and the place of each item in one feature set.

    Attributes:
        neighbours: for each item the rows of its nearest, nearest first; empty without a vector.
        cosines: likewise, from -1 to 1.
        places: int64 `[n, 2]` from 0 to `GRID`, (-1, -1) without a vector.
    """

    neighbours: list[list[int]]
    cosines: list[list[float]]
    places: NDArray[np.int64]


def map_neighbours(matrix: NDArray[np.float32], valid: NDArray[np.bool_], seed: int) -> NeighboursMap:
    """Neighbours and places by the cosine of centred vectors.

    Args:
        matrix: float32 `[n, d]`.
        valid: bool `[n]`, the items that have a vector.
        seed: of the map.
    """
    unit = centre(matrix, valid)
    graph = cosine_neighbours(unit, NEIGHBOURS)
    neighbours, cosines = [], []
    for start, stop in zip(graph.indptr[:-1], graph.indptr[1:], strict=True):
        order = np.argsort(-graph.data[start:stop], kind="stable")
        neighbours.append(graph.indices[start:stop][order].tolist())
        cosines.append(graph.data[start:stop][order].astype(float).tolist())
    places = np.full((len(unit), 2), -1, dtype=np.int64)
    if valid.any():
        places[valid] = _on_grid(project(unit[valid], seed))
    return NeighboursMap(neighbours, cosines, places)


def project(unit: NDArray[np.float32], seed: int) -> NDArray[np.float64]:
    """Two dimensions: t-SNE (van der Maaten, JMLR 2014) of the first principal components.

    Args:
        unit: float32 `[n, d]`.
        seed: of t-SNE.

    Returns:
        float64 `[n, 2]`; of fewer than `FEWEST_FOR_TSNE` rows, their first two principal components.
    """
    components = _principal(unit, COMPONENTS)
    first = components[:, :2]
    if len(unit) < FEWEST_FOR_TSNE or not first.any():
        return np.pad(first, ((0, 0), (0, 2 - first.shape[1])))
    first = np.pad(first, ((0, 0), (0, 2 - first.shape[1])))
    start = first / first[:, 0].std() * 1e-4
    perplexity = min(30.0, (len(unit) - 1) / 3)
    tsne = TSNE(
        perplexity=perplexity,
        init=start,
        learning_rate="auto",
        max_iter=ITERATIONS,
        random_state=seed,
        n_jobs=1,
    )
    # Its threads would sum in any order, and on a busy machine wait for each other most of the time.
    with threadpool_limits(1):
        return np.asarray(tsne.fit_transform(components), dtype=np.float64)


def _principal(unit: NDArray[np.float32], most: int) -> NDArray[np.float64]:
    """The first principal components of rows."""
    centred = unit.astype(np.float64) - unit.mean(axis=0, dtype=np.float64)
    return np.asarray(centred @ principal_axes(centred.T @ centred, most)[1])


def _on_grid(points: NDArray[np.float64]) -> NDArray[np.int64]:
    """Points stretched over the grid, each side by itself."""
    low, span = points.min(axis=0), np.ptp(points, axis=0)
    places: NDArray[np.int64] = np.rint((points - low) / np.where(span > 0, span, 1) * GRID).astype(np.int64)
    return places
