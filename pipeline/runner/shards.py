"""Extraction's unit of work: a run of items whose name is the hash of all that decides its content."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from alignrec.core.files import canonical_json
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.runner.arrow_files import read_sealed_arrow, write_sealed_arrow

# A shard ends at an item whose id hashes so, hence on average after this many items, and an item that
# comes or goes moves no boundary but its own.
MEAN_ITEMS = 128
MAX_ITEMS = 512
_NO_TOKENS = np.zeros((0, 1), dtype=np.float16)


@dataclass(frozen=True)
class Shard:
    """A run of inputs of one modality, and the name of the file that holds its result."""

    key: str
    inputs: Sequence[Input]


@dataclass(frozen=True, eq=False)
class ShardResult:
    """What became of a shard's inputs, in their order.

    Attributes:
        item_ids: the items; one with several inputs has as many places, one after the other.
        vectors: float32 `[n, d]`, zeros where rejected.
        reasons: for each input, why it was rejected, or None.
        details: likewise, the sentence for a person.
        tokens: for each input, its token sequence, float16 `[t, token_d]`, no row where rejected; None
            where sequences are not kept.
    """

    item_ids: Sequence[str]
    vectors: NDArray[np.float32]
    reasons: list[str | None]
    details: list[str | None]
    tokens: list[NDArray[np.float16]] | None = None


def plan(inputs: Sequence[Input], recipe: dict[str, Any]) -> list[Shard]:
    """Cut inputs into shards.

    Args:
        inputs: what to embed, in the catalogue's order; shards have slices of it.
        recipe: everything else that decides the values: model, precision, batch size.

    Returns:
        The shards, in order; equal inputs and recipe give equal keys.
    """
    prefix = canonical_json(recipe)
    shards: list[Shard] = []
    run: list[list[str]] = []
    start = 0

    def end_shard() -> None:
        nonlocal run, start
        key = hashlib.sha256(prefix + b"\n" + canonical_json(run)).hexdigest()
        shards.append(Shard(key, inputs[start : start + len(run)]))
        run, start = [], start + len(run)

    # What an item has several of stays together.
    for item_id, parts in groupby(inputs, key=attrgetter("item_id")):
        run += ([item_id, item.content] for item in parts)
        boundary = int.from_bytes(hashlib.sha256(item_id.encode()).digest()[:4]) % MEAN_ITEMS == 0
        if boundary or len(run) >= MAX_ITEMS:
            end_shard()
    if run:
        end_shard()
    return shards


def shard_path(folder: Path, shard: Shard) -> Path:
    """Where a shard's result lies."""
    return folder / f"{shard.key}.arrow"


def write_shard(path: Path, result: ShardResult) -> None:
    """Write a shard's result as a sealed file, whole or not at all."""
    columns = {
        "item_id": pa.array(result.item_ids, pa.string()),
        "embedding": _vectors(result.vectors),
        "reason": pa.array(result.reasons, pa.string()),
        "detail": pa.array(result.details, pa.string()),
    }
    if result.tokens is not None:
        offsets = np.cumsum([0, *(len(sequence) for sequence in result.tokens)])
        columns["tokens"] = pa.ListArray.from_arrays(
            pa.array(offsets, pa.int32()), _vectors(np.concatenate(result.tokens or [_NO_TOKENS]))
        )
    write_sealed_arrow(pa.table(columns), path)


def _vectors(matrix: NDArray[np.floating]) -> pa.FixedSizeListArray:
    values = pa.array(np.ascontiguousarray(matrix).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(values, matrix.shape[1])


def _matrix(vectors: pa.FixedSizeListArray) -> NDArray[Any]:
    """`[n, d]` without copying; `d` is the type's, since there may be no row to count the columns of."""
    flat: NDArray[Any] = vectors.values.to_numpy(zero_copy_only=True)
    return flat.reshape(len(vectors), vectors.type.list_size)


def _only_chunk(column: pa.ChunkedArray) -> pa.Array:
    """What `write_shard` wrote as one; Arrow reads a file without rows as a column without chunks."""
    return column.chunk(0) if column.num_chunks else pa.array([], column.type)


def read_shard(path: Path) -> ShardResult:
    """Read a shard's result without its token sequences."""
    table = read_sealed_arrow(path)
    return ShardResult(
        table.column("item_id").to_pylist(),
        _matrix(_only_chunk(table.column("embedding"))),
        table.column("reason").to_pylist(),
        table.column("detail").to_pylist(),
    )


def read_tokens(path: Path) -> tuple[NDArray[np.float16], NDArray[np.int64], list[str]]:
    """The token sequences of a shard, mapped into memory.

    Returns:
        All tokens float16 `[total, d]`, how many each item has int64 `[n]`, and the items' ids; no tokens
        where extraction kept none.
    """
    table = read_sealed_arrow(path)
    ids: list[str] = table.column("item_id").to_pylist()
    if "tokens" not in table.column_names:
        return np.zeros((0, 0), dtype=np.float16), np.zeros(len(ids), dtype=np.int64), ids
    sequences = _only_chunk(table.column("tokens"))
    return _matrix(sequences.values), np.diff(sequences.offsets.to_numpy()).astype(np.int64), ids
