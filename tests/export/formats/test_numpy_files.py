"""NumPy files are read back as they were."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from alignrec.core.names import OutsideError
from alignrec.export.formats.convert import write_as
from alignrec.export.formats.numpy_files import FORMAT, write_numpy
from tests.export.formats.cases import IDS, make


def test_numpy(tmp_path: Path) -> None:
    sets = [make(), make("text", 2, 0)]
    write_as(FORMAT.name, sets, tmp_path / "n")
    for features in sets:
        np.testing.assert_array_equal(np.load(tmp_path / "n" / f"{features.name}.npy"), features.matrix)
        np.testing.assert_array_equal(np.load(tmp_path / "n" / f"{features.name}_valid.npy"), features.valid)
        assert json.loads((tmp_path / "n" / f"{features.name}_ids.json").read_text()) == IDS


@pytest.mark.parametrize("name", ["../victim", "/victim", "a/../../victim", "\0"])
def test_a_set_whose_name_is_a_path_is_not_written(tmp_path: Path, name: str) -> None:
    (tmp_path / "n").mkdir()
    wanted = str(tmp_path / "victim") if name.startswith("/") else name
    with pytest.raises(OutsideError):
        write_numpy([make(wanted)], tmp_path / "n")
    assert [path.name for path in tmp_path.rglob("*")] == ["n"]
