"""Vectors made ready for search by inner product."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """Rows of length 1, float32 `[n, d]`; rows of zeros stay zeros."""
    length = np.linalg.norm(matrix, axis=1, keepdims=True)
    unit: NDArray[np.float32] = np.zeros(matrix.shape, dtype=np.float32)
    np.divide(matrix, length, out=unit, where=length > 0)
    return unit
