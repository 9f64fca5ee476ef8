"""A run's folder: what each stage left there, by name and type, so that no other file knows a path."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignrec.aligner.inputs import Inputs
from alignrec.core.features import FeatureSet
from alignrec.core.results import METRICS_FILE, Results
from alignrec.core.vocabulary import SetDefinition, feature_set
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.arrow_files import read_arrow, write_arrow
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.curves import CURVES, Curve, read_curves
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest
from alignrec.pipeline.runner.shards import read_shard
from alignrec.pipeline.runner.token_shards import read_modality

EXTRACT, SPLIT, PRETRAIN, TRAIN, EVALUATE = "extract", "split", "pretrain", "train", "evaluate"


@dataclass(frozen=True)
class RunFolder:
    """What a run wrote.

    Attributes:
        path: the folder; it may not exist yet.
    """

    path: Path

    def folder(self, stage: str) -> Path:
        """Where a stage left its files."""
        return self.path / stage

    def scratch(self, stage: str) -> Path:
        """Where a stage keeps what only its resumption needs."""
        return self.path / f".{stage}"

    def cache(self, name: str) -> Path:
        """A file that only makes the next run quicker; deleting it changes no result."""
        return self.path / f".{name}.json"

    def read_manifest(self, place: str) -> StageManifest | None:
        """The manifest at a path below the folder; None where there is none that can be read."""
        return StageManifest.read(self.path / place)

    def manifest(self, stage: str) -> StageManifest:
        """The manifest of a finished stage.

        Raises:
            CatalogError: it is not finished.
        """
        found = self.read_manifest(f"{stage}/{MANIFEST}")
        if found is None:
            raise CatalogError(
                f"{self.path} holds no finished {stage} stage. Run `alignrec run --until {stage}` first."
            )
        return found

    def items(self) -> list[str]:
        """The catalogue's item ids, in its order."""
        ids: list[str] = read_arrow(self.folder(EXTRACT) / "items.arrow").column("item_id").to_pylist()
        return ids

    def interactions(self) -> pa.Table | None:
        """The usable interactions, as `Interactions.table` has them; None for a run without."""
        path = self.folder(EXTRACT) / "interactions.arrow"
        return read_arrow(path) if path.is_file() else None

    def rejected(self) -> list[dict[str, Any]]:
        """Rows of `rejected.parquet`, `detail` included."""
        rows: list[dict[str, Any]] = pq.read_table(self.folder(EXTRACT) / "rejected.parquet").to_pylist()
        return rows

    def split(self) -> CatalogueSplit:
        """The interactions, as the run's split cuts them.

        Raises:
            CatalogError: the split stage is not finished.
        """
        self.manifest(SPLIT)
        return CatalogueSplit.read(self.folder(SPLIT), self.items())

    def features(self, name: str) -> FeatureSet:
        """A feature set; every item of the catalogue (or every user of the split) has a row.

        Raises:
            CatalogError: no finished stage made it.
        """
        definition = feature_set(name)
        return self._raw(name) if definition.raw else self._made(definition)

    def inputs(self) -> Inputs:
        """What extraction left, as the aligner learns from it; tokens stay on disk.

        Raises:
            CatalogError: extraction is not finished.
        """
        sets = self.manifest(EXTRACT).summary["sets"]
        return {m: read_modality(self.folder(EXTRACT), self._raw(m), e["shards"]) for m, e in sets.items()}

    def curves(self, stage: str) -> list[Curve]:
        """How a stage's training went; none when it has not run.

        Raises:
            RunFolderError: the file is not what training writes.
        """
        return read_curves(self.folder(stage) / CURVES, stage)

    @property
    def metrics(self) -> Path:
        """`metrics.json` of the evaluation, which may not be there."""
        return self.folder(EVALUATE) / METRICS_FILE

    def results(self) -> Results:
        """The numbers of the evaluation; none where there was none.

        Raises:
            ResultsError: they cannot be read.
        """
        return Results.read(self.metrics)

    def _raw(self, modality: str) -> FeatureSet:
        manifest = self.manifest(EXTRACT)
        if modality not in manifest.summary["sets"]:
            sets = ", ".join(manifest.summary["sets"])
            raise CatalogError(f"{self.path} has no {modality} features: extraction made {sets}.")
        entry = manifest.summary["sets"][modality]
        ids = self.items()
        row_of = {item_id: row for row, item_id in enumerate(ids)}
        matrix = np.zeros((len(ids), entry["dim"]), dtype=np.float32)
        valid = np.zeros(len(ids), dtype=np.bool_)
        for key in entry["shards"]:
            result = read_shard(self.folder(EXTRACT) / "shards" / modality / f"{key}.arrow")
            rows = np.array([row_of[item_id] for item_id in result.item_ids])
            matrix[rows] = result.vectors
            valid[rows] = [reason is None for reason in result.reasons]
        return FeatureSet(modality, ids, matrix, valid)

    def _made(self, definition: SetDefinition) -> FeatureSet:
        name, stage = definition.name, definition.stage
        path = self.folder(stage) / f"{name}.arrow"
        if not path.is_file():
            raise CatalogError(f"{self.path} has no {name} features. Run `alignrec {stage}` first.")
        return FeatureSet.from_arrow(name, read_arrow(path))


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
