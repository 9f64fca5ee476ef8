"""The walks stay short: a run of a tiny catalogue, every call of it watched."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.structure.walks import measure, table

# Files on each walk, in the order of `walks()`; no walk grows again.
MOST = (16, 13, 6)


@pytest.mark.slow
def test_data_passes_few_files(tmp_path: Path) -> None:
    measured = measure(tmp_path)
    print(table(measured))
    assert all(len(walk.files) <= most for walk, most in zip(measured, MOST, strict=True)), table(measured)
