"""Write a release: an immutable folder of feature sets, rejections, encoder files and a manifest."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from alignrec.core.features import FeatureSet
from alignrec.core.files import canonical_json, replacing_folder, write_bytes
from alignrec.core.results import METRICS_FILE, Results
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
    sets: Sequence[FeatureSet],
    rejected: Iterable[dict[str, object]],
    provenance: Mapping[str, Any],
    *,
    extractors: Mapping[str, Any],
    encoders: Mapping[str, Path] | None = None,
    metrics: bytes | None = None,
) -> Manifest:
    """Write a release folder, in the layout of format 1, replacing an older one in one step.

    Args:
        folder: where the release goes.
        sets: the feature sets; each becomes `data/<name>/part-*.parquet`.
        rejected: rows of `data/rejected.parquet` (columns of `REJECTED_SCHEMA`).
        provenance: JSON values that say how this was made; carries no date, path or engine.
        extractors: `encoder/extractors.json`, one entry a modality.
        encoders: folders copied below `encoder/`, by name.
        metrics: the bytes of `metrics.json`, where an evaluation was made; drawn in `chart.png`.

    Raises:
        ReleaseError: there is no set, or two share a name.
        ResultsError: the metrics are not what an evaluation writes.
    """
    names = [features.name for features in sets]
    if not names or len(set(names)) != len(names):
        raise ReleaseError(f"a release needs feature sets of distinct names, got {names}")
    with replacing_folder(folder) as new:
        entries: list[tuple[Path, int]] = []
        for features in sets:
            parts = write_parts(features, new / "data" / features.name)
            entries += [(path, pq.read_metadata(path).num_rows) for path in parts]
        rejected_path = new / "data" / "rejected.parquet"
        entries.append((rejected_path, write_rejected(rejected, rejected_path)))
        write_bytes(new / "encoder" / "extractors.json", canonical_json(extractors) + b"\n")
        for name, source in (encoders or {}).items():
            shutil.copytree(source, new / "encoder" / name)
        if metrics is not None:
            write_bytes(new / METRICS_FILE, metrics)
            if scores := scores_of(Results.parse(metrics)):
                write_bytes(new / CHART, draw_chart(scores))
        known = {path for path, _ in entries}
        others = [p for p in sorted(new.rglob("*")) if p.is_file() and p not in known]
        manifest = Manifest.make(
            [describe_file(new, path, rows) for path, rows in [*entries, *((p, None) for p in others)]],
            {f.name: SetEntry(dim=f.dim, rows=len(f.ids), valid=int(f.valid.sum()), key=f.key) for f in sets},
            dict(provenance),
        )
        write_bytes(new / MANIFEST, manifest.to_bytes())
    return manifest
