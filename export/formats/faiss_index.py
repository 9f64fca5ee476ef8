"""A FAISS index for search by cosine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from alignrec.core.features import FeatureSet
from alignrec.core.vectors import unit_rows
from alignrec.export.errors import ReleaseError
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import SplitInteractions


def to_faiss(features: FeatureSet) -> tuple[Any, list[str]]:
    """An exact index of the valid rows, made unit length: inner products are cosines.

    Returns:
        The `IndexFlatIP`, and the id of each of its rows.

    Raises:
        ReleaseError: FAISS is not installed.
    """
    try:
        import faiss  # an extra, and here so that naming the formats needs none
    except ImportError:
        raise ReleaseError("FAISS is not installed: pip install 'alignrec[faiss]'") from None
    rows = np.flatnonzero(features.valid)
    index = faiss.IndexFlatIP(features.dim)
    index.add(unit_rows(features.matrix[rows]))
    return index, [features.ids[int(row)] for row in rows]


def write_faiss(sets: Sequence[FeatureSet], folder: Path, _: SplitInteractions | None = None) -> None:
    """Write one set as `index.faiss` (for `faiss.read_index`) and `ids.json` (the id of each row).

    Raises: as `to_faiss`.
    """
    (features,) = sets
    index, ids = to_faiss(features)
    import faiss  # there, since `to_faiss` found it

    faiss.write_index(index, str(folder / "index.faiss"))
    (folder / "ids.json").write_text(json.dumps(ids, ensure_ascii=False), encoding="utf-8")


FORMAT = Format(
    name="faiss",
    description="an exact cosine index of one set, and the id of each row; needs the `faiss` extra",
    write=write_faiss,
)
