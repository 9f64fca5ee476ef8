"""What the stages left in a run folder, as far as they came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from alignrec.core.features import FeatureSet
from alignrec.core.files import digest, sha256_file
from alignrec.core.results import METRICS_FILE, Results
from alignrec.core.vocabulary import FEATURE_SETS
from alignrec.pipeline.catalog.items import STAGE as EXTRACT
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.report.curves import Curve, read_curves
from alignrec.pipeline.runner.arrow_files import read_arrow
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest
from alignrec.pipeline.runner.run_folder import read_item_ids, read_set

# The stages that train something, in their order.
TRAINED = ("pretrain", "train")
NUMBERS = ("curves.json", METRICS_FILE)
# Counts up when the same run would give another page.
VERSION = 1


@dataclass(frozen=True, eq=False)
class RunContents:
    """A run, as a report needs it.

    Attributes:
        item_ids: the catalogue's `n` items, in its order.
        interactions: int64 `[n]`, positives of each item; None for a catalogue without.
        users: how many users those positives have.
        models: for `image` and `text`, the extractor's card.
        sets: item sets by name, in the order in which they are made, rows in catalogue order.
        rejected: rows of `rejected.parquet`, `detail` included.
        results: of the evaluation; without records when there was none.
        curves: of pretraining and training; empty when there was none.
    """

    item_ids: list[str]
    interactions: NDArray[np.int64] | None
    users: int
    models: Mapping[str, Mapping[str, Any]]
    sets: Mapping[str, FeatureSet]
    rejected: list[dict[str, Any]]
    results: Results
    curves: list[Curve]


def read_contents(config: Config) -> RunContents:
    """Read what is there.

    Raises:
        RunFolderError: extraction, the least that a report can show, is not finished; or a stage's curves
            cannot be read.
        ResultsError: the evaluation's numbers cannot be read.
    """
    folder = config.run_folder
    extracted = StageManifest.read(folder / EXTRACT / MANIFEST)
    if extracted is None:
        raise RunFolderError(
            f"{folder} has nothing to report on yet: extraction is not finished. Run `alignrec run` first."
        )
    manifests = [
        extracted,
        *filter(None, (StageManifest.read(folder / stage / MANIFEST) for stage in TRAINED)),
    ]
    present = {name for manifest in manifests for name in manifest.summary.get("sets", {})}
    names = [name for name in FEATURE_SETS if name in present]
    item_ids = read_item_ids(folder / EXTRACT)
    interactions, users = _interactions(folder / EXTRACT / "interactions.arrow", item_ids)
    return RunContents(
        item_ids,
        interactions,
        users,
        {name: entry["card"] for name, entry in extracted.summary["sets"].items()},
        {name: features for name in names if (features := read_set(folder, name)).key == "item_id"},
        pq.read_table(folder / EXTRACT / "rejected.parquet").to_pylist(),
        Results.read(folder / "evaluate" / METRICS_FILE),
        [c for stage in TRAINED for c in read_curves(folder / stage / "curves.json", stage)],
    )


def fingerprint(config: Config) -> str:
    """SHA-256 over all that a report shows, known without reading any of it."""
    stages = (EXTRACT, *TRAINED, "evaluate")
    files = [config.run_folder / stage / name for stage in stages for name in (MANIFEST, *NUMBERS)]
    seen = {str(f.relative_to(config.run_folder)): sha256_file(f) for f in files if f.is_file()}
    return digest([VERSION, config.name, config.seed, config.catalog.model_dump(mode="json"), seen])


def _interactions(path: Path, item_ids: list[str]) -> tuple[NDArray[np.int64] | None, int]:
    if not path.is_file():
        return None, 0
    table = read_arrow(path)
    count = Counter(table.column("item_id").to_pylist())
    per_item = np.fromiter((count[item_id] for item_id in item_ids), dtype=np.int64, count=len(item_ids))
    return per_item, pc.count_distinct(table.column("user_id")).as_py()
