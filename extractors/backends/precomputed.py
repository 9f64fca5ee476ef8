"""Features that somebody else made: a matrix on disk in the place of a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from alignrec.core.files import sha256_file
from alignrec.extractors.contract import Backend, Embeddings, Extractor, ExtractorCard
from alignrec.extractors.errors import ExtractorError, RejectedError
from alignrec.extractors.identity import ExtractorIdentity, FileHash
from alignrec.extractors.modality import Modality
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime


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
            raise RejectedError(
                "no-row", f"{self.card.name} has no row {row}: it has {len(self.matrix):,}, from 0 on"
            )
        vector = self.matrix[row]
        finite = np.isfinite(vector)
        if not finite.all():
            column = int(np.argmin(finite))
            raise RejectedError(
                "not-finite", f"{self.card.name}, row {row}, column {column}: {vector[column]} is no number"
            )
        if not vector.any():
            raise RejectedError("no-vector", f"{self.card.name}, row {row}: all values are zero")
        return row

    def embed(self, prepared: Sequence[Any], tokens: bool = False) -> Embeddings:
        """The vectors of the rows."""
        pooled = np.asarray(self.matrix[list(prepared)], dtype=np.float32)
        if not tokens:
            return Embeddings(pooled)
        return Embeddings(pooled, pooled[:, None], np.ones((len(pooled), 1), dtype=np.bool_))


def identify(name: ModelName, modality: Modality, sha256: FileHash) -> ExtractorIdentity:
    """The identity of `given:PATH.npy` is its content; see `Backend.identify`."""
    path = Path(name.model)
    if not path.is_file():
        raise ExtractorError(f"{name.full}: there is no file {path}")
    return ExtractorIdentity.of_name(name, modality, weights_sha256=sha256(path), local=True, decodes=False)


def load(name: ModelName, modality: Modality, runtime: Runtime) -> GivenFeatures:  # noqa: ARG001
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
        form = f"{matrix.dtype} {list(matrix.shape)}" if isinstance(matrix, np.ndarray) else "several arrays"
        raise ExtractorError(f"{name.full}: expected a matrix of floats, one row an item, got {form}")
    dim = int(matrix.shape[1])
    card = ExtractorCard(
        name=name.full,
        modality=modality.kind.name,
        revision=None,
        weights_sha256=sha256_file(path),
        dim=dim,
        token_dim=dim,
        preprocessing={"kind": "given"},
        licence=None,
    )
    return GivenFeatures(card, matrix)


BACKEND = Backend("given", identify, load, paths="all")
