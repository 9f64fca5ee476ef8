"""Plain NumPy files: the matrix, the mask and the ids of each set."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from alignrec.core.features import FeatureSet
from alignrec.core.names import inside
from alignrec.export.formats.contract import Format
from alignrec.export.formats.interactions import SplitInteractions


def write_numpy(sets: Sequence[FeatureSet], folder: Path, _: SplitInteractions | None = None) -> None:
    """Write `<set>.npy` (float32 `[n, d]`), `<set>_valid.npy` (bool `[n]`) and `<set>_ids.json` (a list).

    Raises:
        OutsideError: a set's name leads out of the folder.
    """
    for features in sets:
        np.save(inside(folder, f"{features.name}.npy"), features.matrix, allow_pickle=False)
        np.save(inside(folder, f"{features.name}_valid.npy"), features.valid, allow_pickle=False)
        ids = json.dumps(list(features.ids), ensure_ascii=False)
        inside(folder, f"{features.name}_ids.json").write_text(ids, encoding="utf-8")


FORMAT = Format(
    name="numpy",
    description="of each set the matrix, the mask and the ids",
    write=write_numpy,
    several=True,
)
