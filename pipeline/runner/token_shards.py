"""Token sequences as the aligner reads them: rows of many shard files, mapped into memory where touched."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from alignrec.aligner.inputs import ModalityInput, TokenSequences
from alignrec.core.features import FeatureSet
from alignrec.pipeline.runner.shards import read_tokens

# Shards that stay mapped; each holds a file open.
_MAPPED = 64


class ShardedRows:
    """A matrix whose rows lie in several files, one after the other; indexing copies the rows asked for.

    Attributes:
        shape: rows and columns of the whole.
        dtype: float16.
    """

    dtype = np.dtype(np.float16)
    ndim = 2

    def __init__(self, paths: Sequence[Path], lengths: Sequence[int], width: int) -> None:
        """Join files of so many rows each, all of `width` columns."""
        self._starts = np.concatenate([[0], np.cumsum(np.asarray(lengths, dtype=np.int64))])
        self._map = lru_cache(_MAPPED)(lambda shard: read_tokens(paths[shard])[0])
        self.shape = (int(self._starts[-1]), width)

    def __len__(self) -> int:
        """Number of rows."""
        return self.shape[0]

    def __getitem__(self, index: slice | NDArray[Any]) -> NDArray[np.float16]:
        """Rows by a slice, int64 `[m]` or bool `[len(self)]`."""
        if isinstance(index, slice):
            rows = np.arange(*index.indices(len(self)))
        else:
            rows = np.flatnonzero(index) if index.dtype == np.bool_ else index
        out = np.empty((len(rows), self.shape[1]), dtype=np.float16)
        shard = np.searchsorted(self._starts, rows, side="right") - 1
        for number in np.unique(shard):
            here = shard == number
            out[here] = self._map(int(number))[rows[here] - self._starts[number]]
        return out


def read_modality(folder: Path, features: FeatureSet, keys: Sequence[str], token_dim: int) -> ModalityInput:
    """One modality as the aligner learns from it.

    Args:
        folder: the extract stage's folder, finished with token sequences.
        features: the modality's raw set.
        keys: of its shards.
        token_dim: width of a token; a catalogue without any has it too.
    """
    row_of = {item_id: row for row, item_id in enumerate(features.ids)}
    paths = [folder / "shards" / features.name / f"{key}.arrow" for key in keys]
    lengths = np.zeros(len(row_of), dtype=np.int64)
    totals = []
    for path in paths:
        values, count, ids = read_tokens(path)
        # The sequences of an item's pictures, or texts, are one, end to end.
        np.add.at(lengths, [row_of[item_id] for item_id in ids], count)
        totals.append(len(values))
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    values = cast("NDArray[np.floating]", ShardedRows(paths, totals, token_dim))
    return ModalityInput(features.matrix, features.valid, TokenSequences(values, offsets))
