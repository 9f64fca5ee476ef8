"""The split of a run: interactions over all rows of the catalogue, each in train, validation or test."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from alignrec.aligner.errors import SplitError
from alignrec.aligner.evaluate.splits import (
    Split,
    k_core,
    read_mmrec,
    split_leave_one_out,
    split_random,
    split_temporal,
)
from alignrec.core.files import digest, sha256_file
from alignrec.pipeline.config.settings import Config, SplitConfig
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.arrow_files import read_arrow
from alignrec.pipeline.runner.manifest import StageManifest
from alignrec.pipeline.runner.run_folder import read_item_ids

Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CatalogueSplit:
    """Who interacted with what, and in which part.

    Attributes:
        split: over all rows of the catalogue and the users that are left; only items that have interactions
            left are recommended.
        user_ids: the users, by index.
        item_ids: the items, by index: the catalogue's.
    """

    split: Split
    user_ids: list[str]
    item_ids: list[str]

    def table(self) -> pa.Table:
        """`user_id`, `item_id` and `label` (0 train, 1 validation, 2 test), an interaction a row."""
        return pa.table(
            {
                "user_id": pa.array(self.user_ids, pa.string()).take(pa.array(self.split.user)),
                "item_id": pa.array(self.item_ids, pa.string()).take(pa.array(self.split.item)),
                "label": pa.array(self.split.label),
            }
        )


def split_parts(config: Config, extracted: StageManifest) -> dict[str, str]:
    """Hashes of all that decides a run's split."""
    files = (getattr(config.split, name) for name in ("path", "items", "users"))
    hashes = [sha256_file(path) for path in files if path is not None and path.is_file()]
    return {
        "interactions": digest([extracted.files.get(name) for name in ("items.arrow", "interactions.arrow")]),
        "split": digest([config.split.model_dump(mode="json", exclude={"path", "items", "users"}), hashes]),
        "seed": str(config.seed),
    }


def make_split(config: Config, extracted: Path) -> CatalogueSplit:
    """Cut a run's interactions as its `split` section says; the same every time.

    A pair of user and item that occurs more than once counts once, at its first place (in time, where
    times are known).

    Args:
        config: the run.
        extracted: the extract stage's folder, finished.

    Raises:
        CatalogError: nothing is left, or a split's file does not fit the catalogue.
    """
    item_ids = read_item_ids(extracted)
    row_of = {item_id: row for row, item_id in enumerate(item_ids)}
    if config.split.method == "mmrec":
        return _read(config.split, item_ids, row_of)
    table = read_arrow(extracted / "interactions.arrow").to_pandas()
    table["row"] = table["item_id"].map(row_of)
    if table["timestamp"].notna().all():
        table = table.sort_values("timestamp", kind="stable")
    table = table.drop_duplicates(["user_id", "row"]).sort_index()
    item = table["row"].to_numpy(dtype=np.int64)
    kept = k_core(pd.factorize(table["user_id"])[0].astype(np.int64), item, config.split.k_core)
    if not kept.any():
        raise CatalogError(
            f"none of {len(table)} interactions is left: no user and item have split.k_core = "
            f"{config.split.k_core} or more each. Lower it with -o split.k_core=…"
        )
    user, user_ids = pd.factorize(table["user_id"].to_numpy()[kept], sort=True)
    user, item = user.astype(np.int64), item[kept]
    times = table["timestamp"].to_numpy()[kept]
    label = _labels(config, user, None if pd.isna(times).any() else times.astype(np.int64))
    return _joined(Split(len(user_ids), len(item_ids), user, item, label), list(user_ids), item_ids)


def _labels(config: Config, user: Ints, times: Ints | None) -> NDArray[np.uint8]:
    settings = config.split
    if settings.method == "temporal":
        assert times is not None
        return split_temporal(times, settings.ratios)
    if settings.method == "leave-one-out":
        return split_leave_one_out(user, times, config.seed)
    return split_random(user, settings.ratios, config.seed)


def _joined(split: Split, user_ids: list[str], item_ids: list[str]) -> CatalogueSplit:
    candidates = np.zeros(len(item_ids), dtype=np.bool_)
    candidates[split.item] = True
    return CatalogueSplit(replace(split, candidates=candidates), user_ids, item_ids)


def _read(settings: SplitConfig, item_ids: list[str], row_of: dict[str, int]) -> CatalogueSplit:
    """A split in MMRec's format, its dense item ids turned into the catalogue's rows."""
    assert settings.path is not None and settings.items is not None and settings.users is not None
    try:
        with settings.path.open(encoding="utf-8") as lines:
            dense = read_mmrec(lines)
    except (OSError, SplitError) as error:
        raise CatalogError(f"split.path: {settings.path} cannot be read: {error}") from None
    named = _read_ids(settings.items, dense.items, "items")
    unknown = [item_id for item_id in named if item_id not in row_of]
    if unknown:
        raise CatalogError(
            f"split.items: {len(unknown)} of {len(named)} items of {settings.items} are not in the "
            f"catalogue, {unknown[0]!r} for one. Name the ids of catalog.items.id there."
        )
    rows = np.array([row_of[item_id] for item_id in named], dtype=np.int64)
    split = Split(dense.users, len(item_ids), dense.user, rows[dense.item], dense.label)
    return _joined(split, _read_ids(settings.users, dense.users, "users"), item_ids)


def _read_ids(path: Path, count: int, key: str) -> list[str]:
    """Ids by dense index, from a tab-separated table of two columns with a header."""
    try:
        with path.open(encoding="utf-8", newline="") as lines:
            pairs = {int(index): name for name, index in list(csv.reader(lines, delimiter="\t"))[1:]}
        return [pairs[index] for index in range(count)]
    except (OSError, ValueError, KeyError) as error:
        raise CatalogError(
            f"split.{key}: {path} does not name all of {count} {key} ({error!r}). Expected a header and "
            "tab-separated lines of id and index."
        ) from None
