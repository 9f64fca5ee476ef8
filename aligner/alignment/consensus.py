"""Linear inter-content alignment in closed form: all views of an item in one vector, missing ones told.

The components of all views are taken as jointly Gaussian. Their covariance C gives two things: an item's
missing views are told from its others by ridge regression, z_m = z_p (C_pp + s)^-1 C_pm, and the filled row
is whitened, z (C + s)^(-1/2), with one strength s for both. Whitening views together counts what they share
once, and not once a view: that is the difference from whitening each alone and putting them side by side. It
is kin to regularised MAXVAR generalised canonical correlation (Kettenring, Biometrika 1971; Hwang et al.,
Psychometrika 2013), which keeps what is shared and drops the rest; here the rest stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from alignrec.core.vectors import principal_axes

Doubles = NDArray[np.float64]
Float = TypeVar("Float", np.float32, np.float64)
Parts = Mapping[str, NDArray[np.floating]]
Marks = Mapping[str, NDArray[np.bool_]]
_BLOCK = 4096  # rows whose products are added up at once
_FLAT = 1e-9  # of the largest: less is no variance
_KEPT = 16  # projections that are remembered, one for each set of views that items have


def joint_covariance(parts: Parts, valid: Marks) -> Doubles:
    """The covariance of the components of all views, each view divided by the items that have it.

    Between two views it is smaller by the share of items that have both: what few items show is believed
    less, and the whole is positive semidefinite whatever is missing.

    Args:
        parts: for each view float `[n, d]`, centred, rows of zeros where it is missing.
        valid: for each view bool `[n]`.

    Returns:
        float64 `[D, D]`, D the sum of all widths, views in the order of `parts`.
    """
    width = sum(part.shape[1] for part in parts.values())
    products = np.zeros((width, width))
    for start in range(0, len(next(iter(valid.values()))), _BLOCK):
        rows = np.hstack([part[start : start + _BLOCK].astype(np.float64) for part in parts.values()])
        products += rows.T @ rows
    owners = [np.full(part.shape[1], max(int(valid[m].sum()), 1)) for m, part in parts.items()]
    scale = 1 / np.sqrt(np.concatenate(owners))
    return np.asarray(products * scale[:, None] * scale)


def each_alone(covariance: NDArray[Float], widths: Sequence[int]) -> NDArray[Float]:
    """The same views as if they had nothing in common: zeros between them.

    Args:
        covariance: float `[D, D]`.
        widths: components of each view.
    """
    view = np.repeat(np.arange(len(widths)), widths)
    return np.where(view[:, None] == view, covariance, covariance.dtype.type(0))


def mean_eigenvalue(covariance: Doubles) -> float:
    """The mean over the components in which anything varies."""
    diagonal = np.diag(covariance)
    used = int((diagonal > _FLAT * max(float(diagonal.max(initial=0)), 1e-12)).sum())
    return float(diagonal.sum()) / max(used, 1)


@dataclass(frozen=True, eq=False)
class Consensus:
    """The joint covariance of a catalogue's views, and what follows from it.

    Attributes:
        widths: components of each view, in order.
        covariance: float64 `[D, D]` (see `joint_covariance`).
        strength: how much is added to every eigenvalue before whitening and telling, in mean eigenvalues.
        dim: width of the vectors, at most; the directions of the largest eigenvalues are kept.
    """

    widths: Mapping[str, int]
    covariance: Doubles
    strength: float
    dim: int
    _projections: dict[tuple[bool, ...], tuple[Doubles, float]] = field(default_factory=dict, repr=False)

    @classmethod
    def fit(cls, parts: Parts, valid: Marks, *, strength: float, dim: int, together: bool = True) -> Self:
        """The consensus of a catalogue (see `joint_covariance`).

        Args:
            parts: see there.
            valid: see there.
            strength: of the consensus.
            dim: width of the vectors, at most.
            together: else each view is whitened alone, and nothing is told: what alignment has to beat.
        """
        widths = {m: part.shape[1] for m, part in parts.items()}
        covariance = joint_covariance(parts, valid)
        if not together:
            covariance = each_alone(covariance, list(widths.values()))
        return cls(widths, covariance, strength, dim)

    @cached_property
    def _ridge(self) -> float:
        return self.strength * mean_eigenvalue(self.covariance)

    @cached_property
    def _axes(self) -> tuple[Doubles, Doubles]:
        size, axes = principal_axes(self.covariance, self.dim)
        return np.maximum(size, 0), axes

    @cached_property
    def spread(self) -> Doubles:
        """Standard deviations of the vectors' components over complete items, float64 `[dim]`."""
        size = self._axes[0]
        deviations: Doubles = np.sqrt(
            np.divide(size, size + self._ridge, where=size > 0, out=np.zeros_like(size))
        )
        return deviations / max(float(np.linalg.norm(deviations)), 1e-12)

    @cached_property
    def whitening(self) -> Doubles:
        """From the components of all views to vectors 1 long in the root mean square: float64 `[D, dim]`."""
        size, axes = self._axes
        # A direction in which nothing varies stays zero, whatever the strength.
        scale = np.divide(self.spread, np.sqrt(size), where=size > _FLAT * size.max(initial=0), out=size * 0)
        return np.asarray(axes * scale)

    def projection(self, present: tuple[bool, ...]) -> tuple[Doubles, float]:
        """How items that have some of the views become vectors.

        Args:
            present: for each view, whether the items have it; at least one.

        Returns:
            float64 `[D, dim]`, zeros in the rows of missing views; and the share of a complete item's squared
            length that such items lack in the mean, in [0, 1].
        """
        if present not in self._projections:
            while len(self._projections) >= _KEPT:
                del self._projections[next(iter(self._projections))]
            self._projections[present] = self._project(present)
        return self._projections[present]

    def _project(self, present: tuple[bool, ...]) -> tuple[Doubles, float]:
        seen = np.repeat(np.array(present), list(self.widths.values()))
        if seen.all():
            return self.whitening, 0.0
        known = self.covariance[np.ix_(seen, seen)]
        coefficients = np.linalg.solve(
            known + max(self._ridge, 1e-12) * np.eye(len(known)), self.covariance[np.ix_(seen, ~seen)]
        )
        matrix = np.zeros_like(self.whitening)
        matrix[seen] = self.whitening[seen] + coefficients @ self.whitening[~seen]
        kept = float(np.einsum("ij,ij->", matrix[seen], known @ matrix[seen]))
        return matrix, min(max(1 - kept, 0.0), 1.0)

    def vectors(self, parts: Parts, valid: Marks) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The vectors of items, and what is unknown of each.

        Args:
            parts: for each view float `[n, d]`, as in `fit`; rows where it is missing are not looked at.
            valid: for each view bool `[n]`.

        Returns:
            float32 `[n, dim]`, zeros for items without any view; and float32 `[n]`, the share of a complete
            item's squared length that items with the same views lack in the mean.
        """
        marks = np.stack([valid[m] for m in self.widths], axis=1)
        out = np.zeros((len(marks), self.whitening.shape[1]), dtype=np.float32)
        lacking = np.zeros(len(marks), dtype=np.float32)
        patterns, pattern_of = np.unique(marks, axis=0, return_inverse=True)
        for number, present in enumerate(patterns):
            if not present.any():
                continue
            matrix, lack = self.projection(tuple(bool(mark) for mark in present))
            items = np.flatnonzero(pattern_of.reshape(-1) == number)
            lacking[items] = lack
            for start in range(0, len(items), _BLOCK):
                rows = items[start : start + _BLOCK]
                stacked = np.hstack(
                    [
                        parts[m][rows] if has else np.zeros((len(rows), width))
                        for (m, width), has in zip(self.widths.items(), present, strict=True)
                    ]
                )
                out[rows] = stacked.astype(np.float64) @ matrix
        return out, lacking
