"""Run folders as extraction leaves them, written without any model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignrec.export.release.parquet import REJECTED_SCHEMA
from alignrec.pipeline.runner.arrow_files import write_arrow
from alignrec.pipeline.runner.manifest import MANIFEST, StageManifest, list_files
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.shards import ShardResult, write_shard

IDS = ["i0", "i1", "i2", "i3"]
TEXT = np.array([[1, 2], [0, 0], [5, 6], [7, 8]], np.float32)
VALID = [True, False, True, True]
REJECTED = {
    "source": "items",
    "row": 2,
    "item_id": "i1",
    "user_id": None,
    "modality": "text",
    "stage": "extract",
    "reason": "empty",
}
DETAIL = "the text is empty"
CARD = {"name": "packaged:minilm", "dim": 2}


def write_extracted(folder: Path, interactions: pa.Table | None = None, card: object = None) -> RunFolder:
    """A run of four items with texts of two dimensions, the second of them rejected."""
    extract = folder / "extract"
    write_arrow(pa.table({"item_id": IDS}), extract / "items.arrow")
    reasons, details = [None, "empty", None, None], [None, DETAIL, None, None]
    write_shard(extract / "shards" / "text" / "one.arrow", ShardResult(IDS, TEXT, reasons, details))
    schema = REJECTED_SCHEMA.append(pa.field("detail", pa.string()))
    row = pa.Table.from_pylist([REJECTED | {"detail": DETAIL}], schema)
    pq.write_table(row, extract / "rejected.parquet")
    if interactions is not None:
        write_arrow(interactions, extract / "interactions.arrow")
    entry: dict[str, Any] = {"type": "text", "columns": ["title"]}
    entry |= {
        "dim": 2,
        "valid": 3,
        "card": card or CARD,
        "identity": {"scheme": "packaged", "precision": "float32"},
    }
    summary = {
        "items": len(IDS),
        "interactions": 0 if interactions is None else interactions.num_rows,
        "rejected": {"text: empty": 1},
        "template": "{title}",
        "modalities": {},
        "sets": {"text": entry | {"shards": ["one"], "choice": None}},
    }
    finish(extract, {"text inputs": "ab"}, summary)
    return RunFolder(folder)


def finish(folder: Path, parts: Mapping[str, str], summary: Mapping[str, Any]) -> StageManifest:
    """Write the manifest of a stage over what lies in its folder."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST]
    manifest = StageManifest(folder.name, parts, list_files(folder, paths), summary)
    manifest.write(folder / MANIFEST)
    return manifest
