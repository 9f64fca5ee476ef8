"""Atomic files of RecBole (recbole.io/docs/user_guide/data/atomic_files.html)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from alignrec.core.features import FeatureSet
from alignrec.export.errors import ReleaseError
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import LABELS, SplitInteractions

# RecBole reads with pandas, which takes these tokens for missing values.
TAKEN_FOR_MISSING = frozenset(
    (
        *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>"),
        *("N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
    )
)


def write_recbole(
    sets: Sequence[FeatureSet], folder: Path, interactions: SplitInteractions | None = None
) -> None:
    """Write one set as `<name>.itememb`, and interactions, each part of the split in a file of its own.

    `<name>.itememb` has `iid:token` and `<set>_emb:float_seq` for the items whose vector is valid; RecBole
    takes zeros for the others. With interactions there are `<name>.train.inter`, `.valid.inter` and
    `.test.inter` (`user_id:token item_id:token rating:float timestamp:float`). `<name>.yaml` holds the
    settings under which RecBole loads all of it.

    Args:
        sets: one set.
        folder: filled; its name is the dataset's.
        interactions: with their split.

    Raises:
        ReleaseError: an id is one that RecBole would read as a missing value.
    """
    (features,), name = sets, folder.name
    rows = np.flatnonzero(features.valid)
    ids, column = [features.ids[int(row)] for row in rows], f"{features.name}_emb"
    _check(ids)
    table = pd.DataFrame({"iid:token": ids, f"{column}:float_seq": _joined(features.matrix[rows])})
    _write(table, folder / f"{name}.itememb")
    settings: dict[str, object] = {
        "USER_ID_FIELD": "user_id",
        "ITEM_ID_FIELD": "item_id",
        "additional_feat_suffix": ["itememb"],
        "load_col": {"inter": ["user_id", "item_id", "rating", "timestamp"], "itememb": ["iid", column]},
        "alias_of_item_id": ["iid"],
        "preload_weight": {"iid": column},
    }
    if interactions is not None:
        _check({*interactions.users, *interactions.items})
        _write_interactions(interactions, folder, name)
        settings["benchmark_filename"] = list(LABELS)
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")


def _write_interactions(interactions: SplitInteractions, folder: Path, name: str) -> None:
    frame = interactions.frame().rename(
        columns={
            "user_id": "user_id:token",
            "item_id": "item_id:token",
            "rating": "rating:float",
            "timestamp": "timestamp:float",
        }
    )
    for label, part in enumerate(LABELS):
        rows = frame[frame["label"] == label].drop(columns="label")
        _write(rows, folder / f"{name}.{part}.inter")


def _joined(matrix: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> list[str]:
    """Each row as text, its numbers separated by blanks; they read back as the same float32."""
    words = pc.cast(pa.array(np.ascontiguousarray(matrix).reshape(-1)), pa.string())
    offsets = np.arange(len(matrix) + 1, dtype=np.int32) * matrix.shape[1]
    rows: list[str] = pc.binary_join(pa.ListArray.from_arrays(offsets, words), " ").to_pylist()
    return rows


def _write(table: pd.DataFrame, path: Path) -> None:
    table.to_csv(path, sep="\t", index=False, lineterminator="\n")


def _check(ids: Iterable[str]) -> None:
    bad = sorted(TAKEN_FOR_MISSING.intersection(ids))
    if bad:
        raise ReleaseError(
            f"RecBole would read the ids {bad} as missing values: rename them in the catalogue"
        )


FORMAT = Format(
    name="recbole",
    description="`.itememb` of one set and the settings to load it; with a run, its `.inter` files",
    write=write_recbole,
    interactions=True,
)
