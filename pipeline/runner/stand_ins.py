"""A run folder whose extraction embedded a sample: every item without features stands in for one that has."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.inputs import Inputs, ModalityInput, TokenSequences
from alignrec.core.features import FeatureSet
from alignrec.core.files import write_bytes
from alignrec.pipeline.runner.run_folder import RunFolder

_ABSENT = "absent"
# Copies of a vector differ by so much of its length, so that they span what vectors of their width can.
_NOISE = 0.3


class StandIns(RunFolder):
    """What a rehearsal wrote: of the sizes of the run that is rehearsed, with contents that mean nothing."""

    def inputs(self) -> Inputs:
        """What extraction would leave: the sample's vectors and token sequences, over and over."""
        return {m: self._whole(m, given) for m, given in super().inputs().items()}

    def _whole(self, modality: str, given: ModalityInput) -> ModalityInput:
        absent, lengths = self._absent(modality), np.diff(given.tokens.offsets)
        if absent is None or not lengths.any():
            return given
        sources = _repeated(np.flatnonzero(lengths), len(lengths))
        lengths = np.where(absent, 0, lengths[sources])
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        rows = RepeatedRows(given.tokens.values[:], given.tokens.offsets[sources], offsets)
        return replace(given, tokens=TokenSequences(rows, offsets))  # type: ignore[arg-type]

    def _raw(self, modality: str) -> FeatureSet:
        found, absent = super()._raw(modality), self._absent(modality)
        if absent is None:
            return found
        matrix = found.matrix[_repeated(np.flatnonzero(found.valid), len(found.ids))]
        rng = np.random.default_rng(0)
        length = np.sqrt(np.square(matrix).mean(axis=1, keepdims=True))
        matrix += _NOISE * length * rng.standard_normal(matrix.shape, dtype=np.float32)
        matrix[absent] = 0
        return replace(found, matrix=matrix, valid=~absent)

    def _absent(self, modality: str) -> NDArray[np.bool_] | None:
        """Which items lack a modality, bool `[items]`; None where all were embedded."""
        file = self.cache(_ABSENT)
        if not file.is_file():
            return None
        absent = np.zeros(len(self.items()), dtype=np.bool_)
        absent[json.loads(file.read_bytes())[modality]] = True
        return absent


def write_absent(run: RunFolder, absent: Mapping[str, Sequence[int]]) -> None:
    """Say which rows of the catalogue lack each modality: all others are as the items that are embedded."""
    write_bytes(run.cache(_ABSENT), json.dumps(absent).encode())


class RepeatedRows:
    """Rows of a small matrix, taken again and again as if they were those of a large one.

    Attributes:
        shape: rows and columns of the large one.
        dtype: of both.
    """

    ndim = 2

    def __init__(
        self, values: NDArray[np.floating], starts: NDArray[np.int64], offsets: NDArray[np.int64]
    ) -> None:
        """Rows `offsets[i]` to `offsets[i + 1]` are those of `values` from `starts[i]` on."""
        self._values, self._starts, self._offsets = values, starts, offsets
        self.shape, self.dtype = (int(offsets[-1]), values.shape[1]), values.dtype

    def __len__(self) -> int:
        """Number of rows."""
        return self.shape[0]

    def __getitem__(self, index: slice | NDArray[Any]) -> NDArray[np.floating]:
        """Rows by a slice, int64 `[m]` or bool `[len(self)]`."""
        if isinstance(index, slice):
            rows = np.arange(*index.indices(len(self)))
        else:
            rows = np.flatnonzero(index) if index.dtype == np.bool_ else index
        piece = np.searchsorted(self._offsets, rows, side="right") - 1
        found: NDArray[np.floating] = self._values[self._starts[piece] + rows - self._offsets[piece]]
        return found


def _repeated(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """For each of `count` items the row that it takes its content from, int64 `[count]`."""
    return rows[np.arange(count) % len(rows)]
