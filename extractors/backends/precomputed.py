"""Features that somebody else made: a matrix on disk in the place of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.core.files import sha256_file
from alignrec.extractors.contract import Embeddings, Extractor, ExtractorCard, Modality
from alignrec.extractors.errors import ExtractorError, RejectedError
from alignrec.extractors.names import ModelName


class GivenFeatures(Extractor):
    """Looks an item's vector up by its row; its one token is the vector itself."""

    def __init__(self, card: ExtractorCard, matrix: NDArray[np.float32]) -> None:
        """Take float `[n, d]`, memory-mapped or not."""
        self.card, self.matrix, self.batch_size = card, matrix, 256

    def prepare(self, value: Any) -> int:
        """The row that a text names.

        Raises:
            RejectedError: the matrix has no such row, or the row is not finite or all zeros.
        """
        if not (isinstance(value, str) and value.isdecimal()):
            raise ExtractorError(
                f"{self.card.name} knows items by their row in the file, which only the items of an mmrec: "
                f"catalogue name; got {str(value)[:60]!r}"
            )
        row = int(value)
        if row >= len(self.matrix):
            raise RejectedError("no-row", f"row {row} of {len(self.matrix)} in {self.card.name}")
        vector = self.matrix[row]
        if not np.isfinite(vector).all() or not vector.any():
            raise RejectedError("no-vector", f"row {row} of {self.card.name} is zero or not finite")
        return row

    def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
        """The vectors of the rows."""
        pooled = np.asarray(self.matrix[list(prepared)], dtype=np.float32)
        if not tokens:
            return Embeddings(pooled)
        return Embeddings(pooled, pooled[:, None], np.ones((len(pooled), 1), dtype=np.bool_))


def load_given(name: ModelName, modality: Modality) -> GivenFeatures:
    """Load `given:PATH.npy`, float `[n, d]`, as MMRec's `image_feat.npy` and `text_feat.npy` are.

    Raises:
        ExtractorError: there is no such file, or it holds no matrix of numbers.
    """
    path = Path(name.model)
    try:
        matrix = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ExtractorError(f"{name.full}: expected a NumPy file of features: {error}") from None
    if not isinstance(matrix, np.ndarray) or matrix.ndim != 2 or matrix.dtype.kind != "f":
        raise ExtractorError(f"{name.full}: expected a matrix of numbers, one row an item")
    dim = int(matrix.shape[1])
    return GivenFeatures(
        ExtractorCard(name.full, modality, None, sha256_file(path), dim, dim, {"kind": "given"}, None), matrix
    )
