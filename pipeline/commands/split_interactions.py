"""A finished run's interactions with their place in the split, for other tools' formats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from alignrec.export.formats.interactions import SplitInteractions
from alignrec.pipeline.catalog.items import STAGE as EXTRACTION
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import CatalogError, ConfigError
from alignrec.pipeline.runner.arrow_files import read_arrow
from alignrec.pipeline.runner.manifest import MANIFEST
from alignrec.pipeline.stages.split import make_split

PAIR = ["user_id", "item_id"]


def read_split_interactions(path: Path) -> SplitInteractions:
    """The interactions of the run that a config file describes, as its `split` section cuts them.

    Args:
        path: the config file.

    Raises:
        ConfigError: the config is wrong, or has no interactions.
        CatalogError: the run has not been extracted.
    """
    return split_interactions(load_config(path))


def split_interactions(config: Config) -> SplitInteractions:
    """The interactions of a run, as its `split` section cuts them; raises as `read_split_interactions`."""
    if not config.interacts:
        raise ConfigError("the config has no catalog.interactions: there are none to write")
    extracted = config.run_folder / EXTRACTION
    if not (extracted / MANIFEST).is_file():
        raise CatalogError(f"{config.run_folder} has not been extracted yet: `alignrec extract` does it")
    table = make_split(config, extracted).table().to_pandas()
    source = extracted / "interactions.arrow"
    if source.is_file():
        known = read_arrow(source).to_pandas().sort_values("timestamp", kind="stable").drop_duplicates(PAIR)
        table = table.merge(known, on=PAIR, how="left", validate="one_to_one")
    else:
        table = table.assign(rating=np.nan, timestamp=np.nan)
    return SplitInteractions(
        table["user_id"].tolist(),
        table["item_id"].tolist(),
        table["label"].to_numpy(np.uint8),
        pd.to_numeric(table["rating"]).fillna(1).to_numpy(np.float64),
        pd.to_numeric(table["timestamp"]).fillna(0).to_numpy(np.int64),
    )
