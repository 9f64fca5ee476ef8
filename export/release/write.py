"""Write a release: an immutable folder of feature sets, rejections, encoder files and a manifest."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from alignrec.core.features import FeatureSet
from alignrec.core.files import canonical_json, replacing_folder, write_bytes
from alignrec.core.names import inside
from alignrec.core.results import METRICS_FILE, POOLED_FILE, Results
from alignrec.export.errors import ReleaseError
from alignrec.export.release.chart import CHART, draw_chart
from alignrec.export.release.manifest import MANIFEST, Manifest, SetEntry, describe_file
from alignrec.export.release.parquet import write_parts, write_rejected
from alignrec.export.release.scores import scores_of


def check_free(folder: Path) -> None:
    """Refuse to write where something lies already.

    Raises:
        ReleaseError: the folder exists and is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ReleaseError(f"{folder} exists and is not empty: choose another folder, or remove it")


def write_release(
    folder: Path,
    sets: Iterable[FeatureSet],
    rejected: Iterable[dict[str, object]],
    provenance: Mapping[str, Any],
    *,
    extractors: Mapping[str, Any],
    encoders: Mapping[str, Path] | None = None,
    metrics: bytes | None = None,
    pooled: bytes | None = None,
) -> Manifest:
    """Write a release folder, in the layout of format 1, replacing an older one in one step.

    Args:
        folder: where the release goes.
        sets, rejected, provenance, extractors, encoders, metrics, pooled: as for `fill_release`.

    Raises:
        ReleaseError, OutsideError, ResultsError: as of `fill_release`.
    """
    with replacing_folder(folder) as new:
        return fill_release(
            new,
            sets,
            rejected,
            provenance,
            extractors=extractors,
            encoders=encoders,
            metrics=metrics,
            pooled=pooled,
        )


def fill_release(
    folder: Path,
    sets: Iterable[FeatureSet],
    rejected: Iterable[dict[str, object]],
    provenance: Mapping[str, Any],
    *,
    extractors: Mapping[str, Any],
    encoders: Mapping[str, Path] | None = None,
    metrics: bytes | None = None,
    pooled: bytes | None = None,
) -> Manifest:
    """Write a release into an empty folder that the caller puts in its place; its manifest comes last.

    Args:
        folder: exists and is empty.
        sets: the feature sets, asked for one after the other, so that whoever reads them as they are asked
            for holds one in memory; each becomes `data/<name>/part-*.parquet`.
        rejected: rows of `data/rejected.parquet` (columns of `REJECTED_SCHEMA`).
        provenance: JSON values that say how this was made; carries no date, path or engine.
        extractors: `encoder/extractors.json`, one entry a modality.
        encoders: folders copied below `encoder/`, by name.
        metrics: the bytes of `metrics.json`, where anything was measured; recalls are drawn in `chart.png`.
        pooled: the bytes of `pooled.json`, where several splits were measured.

    Raises:
        ReleaseError: there is no set, two share a name, or one has values that are no numbers.
        OutsideError: a set's name leads out of the folder.
        ResultsError: the metrics are not what an evaluation writes.
    """
    rows: dict[Path, int] = {}
    entries: dict[str, SetEntry] = {}
    for features in sets:
        if features.name in entries:
            raise ReleaseError(f"a release has one feature set of a name, got two named {features.name!r}")
        parts = write_parts(features, inside(folder / "data", features.name))
        rows |= {path: pq.read_metadata(path).num_rows for path in parts}
        entries[features.name] = SetEntry(
            dim=features.dim, rows=len(features), valid=int(features.valid.sum()), key=features.key
        )
        del features  # before the next one is read
    if not entries:
        raise ReleaseError("a release has at least one feature set, got none")
    rejected_path = folder / "data" / "rejected.parquet"
    rows[rejected_path] = write_rejected(rejected, rejected_path)
    write_bytes(folder / "encoder" / "extractors.json", canonical_json(extractors) + b"\n")
    for name, source in (encoders or {}).items():
        _copy_files(source, folder / "encoder" / name)
    if metrics is not None:
        write_bytes(folder / METRICS_FILE, metrics)
        if scores := scores_of(Results.parse(metrics)):
            write_bytes(folder / CHART, draw_chart(scores))
    if pooled is not None:
        Results.parse(pooled, POOLED_FILE)
        write_bytes(folder / POOLED_FILE, pooled)
    manifest = Manifest.make(
        [describe_file(folder, path, rows.get(path)) for path in folder.rglob("*") if path.is_file()],
        entries,
        dict(provenance),
    )
    write_bytes(folder / MANIFEST, manifest.to_bytes())
    return manifest


def _copy_files(source: Path, folder: Path) -> None:
    """Copy a folder's files, but not their permissions: the copies are the release's own."""
    for path in source.rglob("*"):
        if path.is_file():
            target = folder / path.relative_to(source)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
