"""What the tests of a release share: small sets, a release of them, and its files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from alignrec.core.features import FeatureSet
from alignrec.core.sealed import seal_json
from alignrec.export.release.manifest import MANIFEST, describe_file, release_id
from alignrec.export.release.write import write_release

IDS = ["b", "0001", "nan", "a/b", "идентификатор"]
REJECTED = {
    "source": "items",
    "row": 3,
    "item_id": "a/b",
    "user_id": None,
    "modality": "image",
    "stage": "extract",
    "reason": "truncated",
    "detail": "stays in the run folder",
}


def make_set(name: str = "image", ids: list[str] = IDS, dim: int = 7, **more: Any) -> FeatureSet:
    rng = np.random.default_rng(len(ids) * dim)
    valid = np.arange(len(ids)) != 2
    matrix = rng.standard_normal((len(ids), dim)).astype(np.float32) * valid[:, None]
    return FeatureSet(name, ids, matrix, valid, **more)


def make_release(folder: Path, *sets: FeatureSet, licence: str = "mit") -> Path:
    write_release(
        folder,
        sets or [make_set("image"), make_set("text", dim=3)],
        [REJECTED],
        {"licence": licence},
        extractors={"image": {"name": "x"}},
        metrics=b"{}",
    )
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def reseal(folder: Path, sets: dict[str, Any], added: dict[str, int] | None = None) -> None:
    """Write the manifest anew over files that were changed, as their publisher would.

    Args:
        folder: the release.
        sets: entries of `sets` that are added or replaced.
        added: new Parquet files, and how many rows each has.
    """
    old = json.loads((folder / MANIFEST).read_text())
    del old["sha256"]
    rows = {entry["path"]: entry["rows"] for entry in old["files"]} | (added or {})
    files = [describe_file(folder, folder / path, count) for path, count in sorted(rows.items())]
    entries = [entry.model_dump() for entry in files]
    new = old | {"files": entries, "release_id": release_id(files), "sets": old["sets"] | sets}
    (folder / MANIFEST).write_bytes(seal_json(new))
