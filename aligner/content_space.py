"""Where content is compared: unit rows less their mean, which makes cosines of raw features comparable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.errors import FeatureError
from alignrec.core.vectors import unit_rows

Floats = NDArray[np.floating]


@dataclass(frozen=True, eq=False)
class ContentSpace:
    """Where features are compared: unit rows without what the items of a catalogue share.

    Attributes:
        mean: float32 `[d]`, of the catalogue's unit rows.
    """

    mean: NDArray[np.float32]

    @classmethod
    def of(cls, features: Floats, valid: NDArray[np.bool_]) -> Self:
        """The space of a catalogue: features float `[n, d]`, of which the rows in `valid` count."""
        kept = unit_rows(features[valid])
        mean = kept.mean(axis=0, dtype=np.float64) if len(kept) else np.zeros(features.shape[1])
        return cls(mean.astype(np.float32))

    def __call__(self, features: Floats, valid: NDArray[np.bool_]) -> NDArray[np.float32]:
        """Rows normalised, less the mean, normalised again; zeros where `valid`, bool `[n]`, is False."""
        return unit_rows(np.where(valid[:, None], unit_rows(features) - self.mean, np.float32(0)))


def centre(features: Floats, valid: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
    """Unit rows without what all items share: normalised, less their mean, normalised again.

    Args:
        features: float `[n, d]`.
        valid: bool `[n]`, the rows that count; the others become zeros. All by default.

    Returns:
        float32 `[n, d]`, rows of length 1 or 0.
    """
    kept = np.ones(len(features), dtype=np.bool_) if valid is None else valid
    return ContentSpace.of(features, kept)(features, kept)


def concatenate(*parts: Floats, weights: tuple[float, ...] | None = None) -> NDArray[np.float32]:
    """Unit rows of several matrices side by side, each times its weight (1 by default), float32.

    Raises:
        FeatureError: the matrices differ in rows, or in number from the weights.
    """
    weights = weights or (1.0,) * len(parts)
    if len({len(part) for part in parts}) != 1 or len(weights) != len(parts):
        raise FeatureError("side by side go matrices of equal rows, with one weight each")
    return np.hstack([np.float32(w) * unit_rows(part) for part, w in zip(parts, weights, strict=True)])
