"""NumPy files are read back as they were."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from alignrec.export.formats.convert import write_as
from alignrec.export.formats.numpy_files import FORMAT
from tests.export.formats.cases import IDS, make


def test_numpy(tmp_path: Path) -> None:
    sets = [make(), make("text", 2, 0)]
    write_as(FORMAT.name, sets, tmp_path / "n")
    for features in sets:
        np.testing.assert_array_equal(np.load(tmp_path / "n" / f"{features.name}.npy"), features.matrix)
        np.testing.assert_array_equal(np.load(tmp_path / "n" / f"{features.name}_valid.npy"), features.valid)
        assert json.loads((tmp_path / "n" / f"{features.name}_ids.json").read_text()) == IDS
