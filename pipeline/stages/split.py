"""The split stage: a run's interactions cut into train, validation and test, once for all who read them."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from io import TextIOWrapper
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from alignrec.aligner.errors import SplitError
from alignrec.aligner.evaluate.splits import (
    TEST,
    TRAIN,
    VALID,
    Split,
    k_core,
    read_mmrec,
    split_leave_one_out,
    split_new_items,
    split_random,
    split_temporal,
)
from alignrec.core.errors import AlignRecWarning
from alignrec.core.files import open_regular, sha256_file
from alignrec.pipeline.catalog.id_hints import compare_ids
from alignrec.pipeline.catalog.id_maps import read_ids
from alignrec.pipeline.config.settings import Config, SplitConfig
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.run_folder import EXTRACT, SPLIT
from alignrec.pipeline.runner.stage import Plan, Stage, StageContext

Ints = NDArray[np.int64]
# Settings that name files: their contents decide, their paths do not.
_FILES = ("path", "items", "users")


class SplitStage(Stage):
    """Cuts the interactions as the `split` section says; a pair that occurs more than once counts once."""

    name = SPLIT
    libraries = ("numpy", "pandas", "pyarrow")

    def skip(self, config: Config) -> str:
        """Without interactions there is nothing to cut."""
        return "" if config.interacts else "it has no interactions; name them under catalog.interactions."

    def plan(self, context: StageContext) -> Plan:
        """The interactions, the settings and the seed decide."""
        config, extracted = context.config, context.done[EXTRACT]
        files = (getattr(config.split, name) for name in _FILES)
        hashes = [sha256_file(path) for path in files if path is not None and path.is_file()]
        return Plan(
            {
                "interactions": [extracted.files.get(name) for name in ("items.arrow", "interactions.arrow")],
                "split": [config.split.model_dump(mode="json", exclude=set(_FILES)), hashes],
                "seed": str(config.seed),
            }
        )

    def make(self, context: StageContext, target: Path) -> Mapping[str, Any]:
        """Write `interactions.arrow` and `users.arrow`."""
        config, interactions = context.config, context.run.interactions()
        cut = cut_interactions(config, context.run.items(), interactions)
        cut.write(target)
        if hint := times_unused(context.config):
            warnings.warn(hint, AlignRecWarning, stacklevel=2)
        counts = np.bincount(cut.split.label, minlength=3)
        return {
            "users": cut.split.users,
            "items": int(cut.split.recommended.sum()),
            "train": int(counts[TRAIN]),
            "valid": int(counts[VALID]),
            "test": int(counts[TEST]),
        }

    def describe(self, summary: Mapping[str, Any]) -> list[str]:
        """How many users, items and interactions are left."""
        return [
            f"split: {summary['users']:,} users and {summary['items']:,} items; {summary['train']:,} "
            f"interactions to train on, {summary['valid']:,} to validate, {summary['test']:,} to test"
        ]


def times_unused(config: Config) -> str:
    """A sentence for a run that has times and names no way to cut, so that chance does; "" for others."""
    source = config.catalog.interactions
    if source is None or source.timestamp is None or "method" in config.split.model_fields_set:
        return ""
    return (
        f"split: at random, though {source.timestamp} has times, so that what is measured is easier than "
        "foretelling: split.method temporal or leave-one-out cuts by them, and random, written out, ends this"
    )


def cut_interactions(config: Config, item_ids: list[str], interactions: pa.Table | None) -> CatalogueSplit:
    """Cut a run's interactions; the same every time.

    A pair of user and item that occurs more than once counts once, at its first place (in time, where
    times are known).

    Args:
        config: the run.
        item_ids: the catalogue's.
        interactions: as `Interactions.table` has them; not looked at where a file holds the split.

    Raises:
        CatalogError: nothing is left, or a split's file does not fit the catalogue.
    """
    row_of = {item_id: row for row, item_id in enumerate(item_ids)}
    if config.split.method == "mmrec":
        return _read(config.split, item_ids, row_of)
    assert interactions is not None
    table = interactions.to_pandas()
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
    label = _labels(config, user, item, None if pd.isna(times).any() else times.astype(np.int64))
    return CatalogueSplit.of(Split(len(user_ids), len(item_ids), user, item, label), list(user_ids), item_ids)


def _labels(config: Config, user: Ints, item: Ints, times: Ints | None) -> NDArray[np.uint8]:
    settings = config.split
    if settings.method == "temporal":
        assert times is not None
        return split_temporal(times, settings.ratios)
    if settings.method == "leave-one-out":
        return split_leave_one_out(user, times, config.seed)
    if settings.method == "new-items":
        try:
            return split_new_items(user, item, settings.ratios, config.seed)
        except SplitError as error:
            raise CatalogError(f"split.method new-items: {error}; raise split.ratios' first") from None
    return split_random(user, settings.ratios, config.seed)


def _read(settings: SplitConfig, item_ids: list[str], row_of: dict[str, int]) -> CatalogueSplit:
    """A split in MMRec's format, its dense item ids turned into the catalogue's rows."""
    assert settings.path is not None and settings.items is not None and settings.users is not None
    try:
        with TextIOWrapper(open_regular(settings.path), "utf-8") as lines:
            dense = read_mmrec(lines)
    except (OSError, UnicodeDecodeError, SplitError) as error:
        raise CatalogError(f"split.path: {settings.path} cannot be read: {error}") from None
    named = _read_ids(settings.items, dense.items, "items")
    unknown = [item_id for item_id in named if item_id not in row_of]
    if unknown:
        raise CatalogError(
            f"split.items: {len(unknown)} of {len(named)} items of {settings.items} are not in the "
            f"catalogue. {compare_ids(unknown[0], item_ids)} Name the ids of catalog.items.id there."
        )
    rows = np.array([row_of[item_id] for item_id in named], dtype=np.int64)
    split = Split(dense.users, len(item_ids), dense.user, rows[dense.item], dense.label)
    return CatalogueSplit.of(split, _read_ids(settings.users, dense.users, "users"), item_ids)


def _read_ids(path: Path, count: int, key: str) -> list[str]:
    """Ids by dense index."""
    try:
        return read_ids(path, count)
    except CatalogError as error:
        raise CatalogError(f"split.{key}: {error}") from None


STAGE = SplitStage()
