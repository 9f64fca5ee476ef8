"""The folders that clip-retrieval (github.com/rom1504/clip-retrieval) writes and indexes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from alignrec.core.features import FeatureSet
from alignrec.core.vectors import unit_rows
from alignrec.core.vocabulary import IMAGE, TEXT
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import SplitInteractions

# That tool's own layout: which set goes into which of its folders.
FOLDERS = {IMAGE: "img_emb", TEXT: "text_emb"}


def write_clip_retrieval(
    sets: Sequence[FeatureSet], folder: Path, _: SplitInteractions | None = None
) -> None:
    """Write `img_emb/img_emb_0.npy`, `text_emb/text_emb_0.npy` and `metadata/metadata_0.parquet`.

    Rows are of unit length, as that tool compares by inner product, and row i of each file is the same
    item: the items whose vector is valid in every given set. The metadata has the column `item_id`; ask
    for it with `--columns_to_return`.

    Args:
        sets: `image`, `text` or both.
        folder: filled.
    """
    ids = sets[0].ids
    aligned = {features.name: features.align_to(ids) for features in sets}
    keep = np.flatnonzero(np.all([valid for _, valid in aligned.values()], axis=0))
    for name, (matrix, _valid) in aligned.items():
        (folder / FOLDERS[name]).mkdir()
        np.save(
            folder / FOLDERS[name] / f"{FOLDERS[name]}_0.npy", unit_rows(matrix[keep]), allow_pickle=False
        )
    (folder / "metadata").mkdir()
    metadata = pa.table({"item_id": pa.array([ids[int(row)] for row in keep], pa.string())})
    pq.write_table(metadata, folder / "metadata" / "metadata_0.parquet")


FORMAT = Format(
    name="clip-retrieval",
    description="`img_emb/`, `text_emb/` and `metadata/`, as clip-retrieval writes and indexes them",
    write=write_clip_retrieval,
    sets=tuple(FOLDERS),
    several=True,
)
