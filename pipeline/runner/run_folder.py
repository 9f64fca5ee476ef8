"""Feature sets in a run folder: what the stages made, each set in the catalogue's order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from alignrec.core.features import FeatureSet
from alignrec.core.vocabulary import feature_set
from alignrec.pipeline.catalog.items import STAGE
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.arrow_files import read_arrow, write_arrow
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest
from alignrec.pipeline.runner.shards import read_shard


def read_features(folder: Path, modality: str) -> FeatureSet:
    """Extraction's raw features: every item has a row, in the catalogue's order.

    Args:
        folder: the extract stage's folder, finished.
        modality: `image` or `text`.

    Raises:
        CatalogError: the stage is not finished or has no such modality.
    """
    manifest = StageManifest.read(folder / MANIFEST)
    if manifest is None or modality not in manifest.summary["sets"]:
        made = ", ".join(manifest.summary["sets"]) if manifest else "nothing"
        raise CatalogError(f"{folder} has no {modality} features: extraction made {made}.")
    entry = manifest.summary["sets"][modality]
    ids = read_item_ids(folder)
    row_of = {item_id: row for row, item_id in enumerate(ids)}
    matrix = np.zeros((len(ids), entry["dim"]), dtype=np.float32)
    valid = np.zeros(len(ids), dtype=np.bool_)
    for key in entry["shards"]:
        result = read_shard(folder / "shards" / modality / f"{key}.arrow")
        rows = np.array([row_of[item_id] for item_id in result.item_ids])
        matrix[rows] = result.vectors
        valid[rows] = [reason is None for reason in result.reasons]
    return FeatureSet(modality, ids, matrix, valid)


def read_item_ids(folder: Path) -> list[str]:
    """The catalogue's items, in its order, from the extract stage's folder."""
    ids: list[str] = read_arrow(folder / "items.arrow").column("item_id").to_pylist()
    return ids


def read_set(run_folder: Path, name: str) -> FeatureSet:
    """A feature set that a finished stage made.

    Args:
        run_folder: the run.
        name: of the set; one that `core.vocabulary` does not declare is a modality's.

    Raises:
        CatalogError: no finished stage made it.
    """
    definition = feature_set(name)
    if definition.raw:
        return read_features(run_folder / STAGE, name)
    path = run_folder / definition.stage / f"{name}.arrow"
    if not path.is_file():
        raise CatalogError(f"{run_folder} has no {name} features. Run `alignrec {definition.stage}` first.")
    table = read_arrow(path)
    matrix = table.column("embedding").combine_chunks().flatten().to_numpy(zero_copy_only=False)
    return FeatureSet(
        name,
        table.column(0).to_pylist(),
        matrix.reshape(len(table), -1),
        table.column("valid").to_numpy(zero_copy_only=False),
        definition.key,
        table.column("origin").to_pylist() if "origin" in table.column_names else None,
    )


def write_set(features: FeatureSet, path: Path) -> None:
    """Write a set, whole or not at all."""
    values = pa.array(np.ascontiguousarray(features.matrix).reshape(-1))
    columns = {
        features.key: pa.array(features.ids, pa.string()),
        "embedding": pa.FixedSizeListArray.from_arrays(values, features.dim),
        "valid": pa.array(features.valid),
    }
    if features.origin is not None:
        columns["origin"] = pa.array(list(features.origin), pa.string())
    write_arrow(pa.table(columns), path)
