"""The log of a run behind its split: each interaction with its part, rating and time."""

from __future__ import annotations

import numpy as np
import pandas as pd

from alignrec.aligner.evaluate.splits import TRAIN
from alignrec.core.learned_from import LearnedFrom
from alignrec.export.formats.interactions import SplitInteractions
from alignrec.pipeline.catalog.times import UNITS, unit_of
from alignrec.pipeline.config.settings import SplitConfig
from alignrec.pipeline.runner.run_folder import RunFolder

PAIR = ["user_id", "item_id"]
_METHODS = {
    "random": "each user's at random, {ratios}",
    "temporal": "before two moments for all users, {ratios}",
    "leave-one-out": "all but each user's last two",
    "new-items": "all but those of items drawn at random, and a share of each user's, {ratios}",
    "mmrec": "as a file in MMRec's format labels them",
}


def interactions_of(run: RunFolder) -> SplitInteractions:
    """The interactions of a run, for other tools' formats.

    Raises:
        CatalogError: the split is not finished.
    """
    table, unit = _log(run)
    seconds = pd.to_numeric(table["timestamp"]) // UNITS[unit]
    return SplitInteractions(
        table["user_id"].tolist(),
        table["item_id"].tolist(),
        table["label"].to_numpy(np.uint8),
        pd.to_numeric(table["rating"]).fillna(1).to_numpy(np.float64),
        seconds.fillna(0).to_numpy(np.int64),
    )


def learned_from(
    run: RunFolder, settings: SplitConfig, seed: int, *, everything: bool = False
) -> LearnedFrom:
    """The interactions that a training of the run learns from: those of the split's training part.

    Args:
        run: its split is finished.
        settings: of the split.
        seed: of the run.
        everything: of the retrain stage, which learns from all parts.

    Raises:
        CatalogError: the split is not finished.
    """
    table, unit = _log(run)
    train = table["timestamp"] if everything else table.loc[table["label"] == TRAIN, "timestamp"]
    last = None if train.isna().any() else f"{train.to_numpy(np.int64).max().astype(f'datetime64[{unit}]')}Z"
    held_out = len(table) - len(train)
    return LearnedFrom(_rule(settings, seed, everything=not held_out), len(train), held_out, last)


def _rule(settings: SplitConfig, seed: int, *, everything: bool) -> str:
    if everything:
        rule = "the whole log"
    else:
        ratios = ":".join(f"{ratio:g}" for ratio in settings.ratios)
        rule = "the split's training part: " + _METHODS[settings.method].format(ratios=ratios)
        if settings.method in ("random", "leave-one-out", "new-items"):
            rule += f", seed {seed}"
    core = f", after the {settings.k_core}-core" if settings.k_core > 1 and settings.method != "mmrec" else ""
    return rule + core


def _log(run: RunFolder) -> tuple[pd.DataFrame, str]:
    """`user_id`, `item_id`, `label`, and the source's `rating` and `timestamp`; and the unit of the times.

    A pair that occurs more than once counts at its first time, as in the split. What is not known is NaN.
    """
    table, source = run.split().table().to_pandas(), run.interactions()
    if source is None:
        return table.assign(rating=np.nan, timestamp=np.nan), "s"
    known = source.to_pandas().sort_values("timestamp", kind="stable").drop_duplicates(PAIR)
    return table.merge(known, on=PAIR, how="left", validate="one_to_one"), unit_of(
        source.schema.field("timestamp")
    )
