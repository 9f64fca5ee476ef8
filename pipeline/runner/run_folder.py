"""A run's folder: what each stage left there, by name and type, so that no other file knows a path.

Whatever is read of a stage is compared with the hash in its manifest first, once a process.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignrec.aligner.inputs import Inputs
from alignrec.core.cross_view import ALIGNMENT, CrossView
from alignrec.core.documents import DocumentError
from alignrec.core.features import FeatureSet
from alignrec.core.results import METRICS_FILE, POOLED_FILE, Results
from alignrec.core.vocabulary import feature_set
from alignrec.pipeline.errors import CatalogError, RunFolderError
from alignrec.pipeline.runner.arrow_files import read_arrow, write_arrow
from alignrec.pipeline.runner.catalogue_split import CatalogueSplit
from alignrec.pipeline.runner.curves import CURVES, Curve, read_curves
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest
from alignrec.pipeline.runner.pooled_parts import pool_parts
from alignrec.pipeline.runner.shards import read_shard
from alignrec.pipeline.runner.token_shards import read_modality

FINETUNE, EXTRACT, SPLIT = "finetune", "extract", "split"
PRETRAIN, TRAIN, EVALUATE, RETRAIN = "pretrain", "train", "evaluate", "retrain"
# The folder of the logs of searches, which is no stage's.
TUNE = "tune"


@dataclass(frozen=True)
class RunFolder:
    """What a run wrote.

    Attributes:
        path: the folder; it may not exist yet.
    """

    path: Path

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
        path = self._file(EXTRACT, "items.arrow")
        ids: list[str] = read_arrow(path).column("item_id").to_pylist()
        return ids

    def interactions(self) -> pa.Table | None:
        """The usable interactions, as `Interactions.table` has them; None for a run without."""
        name = "interactions.arrow"
        there = name in self.manifest(EXTRACT).files
        return read_arrow(self._file(EXTRACT, name)) if there else None

    def rejected(self) -> list[dict[str, Any]]:
        """Rows of `rejected.parquet`, `detail` included."""
        path = self._file(EXTRACT, "rejected.parquet")
        rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows

    def split(self) -> CatalogueSplit:
        """The interactions, as the run's split cuts them.

        Raises:
            CatalogError: the split stage is not finished.
        """
        return CatalogueSplit.read(self.saved(SPLIT), self.items())

    def features(self, name: str) -> FeatureSet:
        """A feature set; every item of the catalogue (or every user of the split) has a row.

        Raises:
            CatalogError: no finished stage made it.
        """
        definition = feature_set(name)
        return self._raw(name) if definition.raw else self._made(name, definition.stage)

    def retrained(self, name: str) -> FeatureSet:
        """A trained set that has learned from all interactions.

        Raises:
            CatalogError: the retrain stage is not finished.
        """
        return self._made(name, RETRAIN)

    def inputs(self) -> Inputs:
        """What extraction left, as the aligner learns from it; tokens stay on disk.

        Raises:
            CatalogError: extraction is not finished.
        """
        sets = self.manifest(EXTRACT).summary["sets"]
        folder = self.saved(EXTRACT)
        found = {
            m: read_modality(folder, self._raw(m), entry["shards"], entry["card"]["token_dim"])
            for m, entry in sets.items()
        }
        return {
            m: replace(source, kind=sets[m]["type"], columns=frozenset(sets[m]["columns"]))
            for m, source in found.items()
        }

    def curves(self, stage: str) -> list[Curve]:
        """How a stage's training went; none when it has not run.

        Raises:
            RunFolderError: the file is not what training writes.
        """
        manifest = self.read_manifest(f"{stage}/{MANIFEST}")
        there = manifest is not None and CURVES in manifest.files
        return read_curves(self._file(stage, CURVES), stage) if there else []

    def alignment(self) -> CrossView | None:
        """What modalities tell of one another; None where nothing was pretrained.

        Raises:
            RunFolderError: pretraining left something else.
        """
        manifest = self.read_manifest(f"{PRETRAIN}/{MANIFEST}")
        found = None if manifest is None else manifest.summary.get(ALIGNMENT)
        try:
            return None if found is None else CrossView.parse(found)
        except DocumentError as error:
            raise RunFolderError(
                f"{self.path / PRETRAIN / MANIFEST}: {error}. Delete the folder {PRETRAIN} and run again."
            ) from None

    def metrics(self) -> bytes | None:
        """`metrics.json` of the evaluation; None where there was none."""
        there = self.read_manifest(f"{EVALUATE}/{MANIFEST}") is not None
        return self._file(EVALUATE, METRICS_FILE).read_bytes() if there else None

    def results(self) -> Results:
        """The numbers of the evaluation; none where there was none.

        Raises:
            ResultsError: they cannot be read.
        """
        content = self.metrics()
        return Results() if content is None else Results.parse(content, METRICS_FILE)

    def pooled(self) -> bytes | None:
        """`pooled.json` of the evaluation; None where there was one split."""
        manifest = self.read_manifest(f"{EVALUATE}/{MANIFEST}")
        if manifest is None or POOLED_FILE not in manifest.files:
            return None
        return self._file(EVALUATE, POOLED_FILE).read_bytes()

    def pooled_results(self) -> Results:
        """The numbers over several splits; none where there was one.

        Raises:
            ResultsError: they cannot be read.
        """
        content = self.pooled()
        return Results() if content is None else Results.parse(content, POOLED_FILE)

    def saved(self, stage: str, folder: str = "") -> Path:
        """A folder below a finished stage's, every file of which is as the stage wrote it.

        Raises:
            CatalogError: the stage is not finished.
            RunFolderError: a file is damaged or missing.
        """
        manifest, place = self.manifest(stage), self.path / stage
        manifest.check(place, [name for name in manifest.files if name.startswith(folder)])
        return place / folder

    def _file(self, stage: str, name: str) -> Path:
        """A file of a finished stage, as the stage wrote it."""
        self.manifest(stage).check(self.path / stage, [name])
        return self.path / stage / name

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
        folder = self.saved(EXTRACT, f"shards/{modality}/")
        for key in entry["shards"]:
            result = read_shard(folder / f"{key}.arrow")
            rows = np.array([row_of[item_id] for item_id in result.item_ids], dtype=np.int64)
            usable = np.array([reason is None for reason in result.reasons], dtype=np.bool_)
            pooled, items = pool_parts(result.vectors[usable], rows[usable])
            matrix[items], valid[items] = pooled, True
        return FeatureSet(modality, ids, matrix, valid)

    def _made(self, name: str, stage: str) -> FeatureSet:
        manifest, file = self.read_manifest(f"{stage}/{MANIFEST}"), f"{name}.arrow"
        if manifest is None or file not in manifest.files:
            raise CatalogError(f"{self.path} has no {name} features. Run `alignrec {stage}` first.")
        return FeatureSet.from_arrow(name, read_arrow(self._file(stage, file)))


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
