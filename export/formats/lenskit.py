"""A data set of LensKit (lenskit.org), in the native form that its `Dataset.load` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from alignrec.core.features import FeatureSet
from alignrec.export.errors import ReleaseError
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import LABELS, SplitInteractions

# The version of the schema that this writes, as LensKit counts it.
SCHEMA = "2025.3"
NO_INTERACTIONS = SplitInteractions([], [], np.zeros(0, np.uint8), np.zeros(0), np.zeros(0, np.int64))


def write_lenskit(
    sets: Sequence[FeatureSet], folder: Path, interactions: SplitInteractions | None = None
) -> None:
    """Write a data set of items with their vectors and of the training interactions; the other parts beside.

    `dataset/` is for `lenskit.data.Dataset.load`: all items, each set a vector attribute of its name (null
    where an item has no vector; a letter that LensKit does not take in a name becomes `_`), and the training
    interactions as the relationship `interaction` with `rating` and `timestamp`. `valid.parquet` and
    `test.parquet` hold a list of items for each user, for `lenskit.data.ItemListCollection.load_parquet`. A
    model that trains on `dataset/` has seen neither.

    Args:
        sets: any.
        folder: filled; its name is the data set's.
        interactions: with their split; without, `dataset/` has items alone.

    Raises:
        ReleaseError: an interaction's item is in no set, or two sets get one name.
    """
    ids = sorted({name for features in sets for name in features.ids})
    columns = {re.sub(r"\W", "_", features.name): features for features in sets}
    if len(columns) < len(sets) or "item_id" in columns:
        raise ReleaseError(
            f"LensKit would give two of these sets one name: {', '.join(f.name for f in sets)}"
        )
    data = folder / "dataset"
    data.mkdir()
    items = {"item_id": pa.array(ids, pa.string())}
    items |= {name: _vectors(features, ids) for name, features in columns.items()}
    pq.write_table(pa.table(items), data / "item.parquet")
    log = interactions or NO_INTERACTIONS
    log.check_items(ids)
    users = sorted(set(log.users))
    pq.write_table(pa.table({"user_id": pa.array(users, pa.string())}), data / "user.parquet")
    repeats = _write_training(log, users, ids, data / "interaction.parquet")
    for label in (1, 2) if interactions else ():
        _write_lists(log, label, folder / f"{LABELS[label]}.parquet")
    attributes = {
        name: {"layout": "vector", "vector_size": features.dim} for name, features in columns.items()
    }
    _write_schema(folder.name, attributes, repeats, data / "schema.json")


def _vectors(features: FeatureSet, ids: list[str]) -> pa.Array:
    """Lists of float32, null for an item without a vector."""
    matrix, valid = features.align_to(ids)
    offsets = np.arange(len(ids) + 1, dtype=np.int32) * features.dim
    return pa.ListArray.from_arrays(offsets, pa.array(matrix.reshape(-1)), mask=pa.array(~valid))


def _numbers(names: Sequence[str], ids: list[str]) -> NDArray[np.int32]:
    row = {name: number for number, name in enumerate(ids)}
    return np.array([row[name] for name in names], np.int32)


def _write_training(log: SplitInteractions, users: list[str], ids: list[str], path: Path) -> bool:
    """Write the training part, by user and item; returns whether a pair is there more than once."""
    rows = np.flatnonzero(log.label == 0)
    user, item = _numbers(log.users, users)[rows], _numbers(log.items, ids)[rows]
    order = np.lexsort((item, user))
    columns = {
        "user_num": pa.array(user[order]),
        "item_num": pa.array(item[order]),
        "rating": pa.array(log.rating[rows][order]),
        "timestamp": pa.array(log.timestamp[rows][order], pa.timestamp("s")),
    }
    pq.write_table(pa.table(columns), path)
    return len({*zip(user.tolist(), item.tolist(), strict=True)}) < len(rows)


def _write_lists(log: SplitInteractions, label: int, path: Path) -> None:
    """Write one part as LensKit keeps a collection of item lists: a row a user, a list of items in it."""
    lists: dict[str, list[dict[str, Any]]] = {}
    for row in np.flatnonzero(log.label == label).tolist():
        entry = {"item_id": log.items[row], "rating": log.rating[row]}
        lists.setdefault(log.users[row], []).append(entry)
    users = sorted(lists)
    entry_type = pa.struct([("item_id", pa.string()), ("rating", pa.float64())])
    items = pa.array([lists[user] for user in users], pa.list_(entry_type))
    pq.write_table(pa.table({"user_id": pa.array(users, pa.string()), "items": items}), path)


def _write_schema(name: str, attributes: Mapping[str, object], repeats: bool, path: Path) -> None:
    scalar = {"layout": "scalar", "vector_size": None}
    interaction = {
        "entities": {"user": None, "item": None},
        "interaction": True,
        "repeats": "present" if repeats else "forbidden",
        "attributes": {"rating": scalar, "timestamp": scalar},
    }
    schema = {
        "version": SCHEMA,
        "name": name,
        "default_interaction": "interaction",
        "entities": {
            "item": {"id_type": "str", "attributes": attributes},
            "user": {"id_type": "str", "attributes": {}},
        },
        "relationships": {"interaction": interaction},
    }
    path.write_text(json.dumps(schema), encoding="utf-8")


FORMAT = Format(
    name="lenskit",
    description="a `Dataset` with each set as a vector attribute; with a run, its split as item lists",
    write=write_lenskit,
    several=True,
    interactions=True,
)
