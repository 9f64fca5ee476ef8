"""A run folder of which a sample was embedded, read as if all of it had been."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.runner.stand_ins import RepeatedRows, StandIns, write_absent
from tests.pipeline.run_folders import write_extracted


def test_rows_of_pieces_are_found_by_slice_by_number_and_by_mark() -> None:
    values = np.arange(10, dtype=np.float16).reshape(5, 2)
    rows = RepeatedRows(values, np.array([3, 0, 3]), np.array([0, 2, 5, 7]))
    whole = values[[3, 4, 0, 1, 2, 3, 4]]
    assert rows.shape == whole.shape == (len(rows), 2)
    assert (rows[:] == whole).all() and (rows[2:6] == whole[2:6]).all()
    chosen = np.array([6, 0, 3])
    assert (rows[chosen] == whole[chosen]).all()
    marked = np.array([True, False] * 3 + [True])
    assert (rows[marked] == whole[marked]).all()


def test_items_without_features_get_those_of_the_sample(tmp_path: Path) -> None:
    write_extracted(tmp_path)
    run = StandIns(tmp_path)
    sampled = RunFolder(tmp_path).features("text")
    assert (run.features("text").matrix == sampled.matrix).all()  # nothing was left out yet
    write_absent(run, {"text": [3]})
    whole = run.features("text")
    assert whole.valid.tolist() == [True, True, True, False]
    assert not whole.matrix[3].any()
    # The rows that were embedded are the first, the third and the fourth.
    source = sampled.matrix[[0, 2, 3]]
    lengths = np.linalg.norm(source, axis=1)
    assert (np.linalg.norm(whole.matrix[:3] - source, axis=1) < 2 * lengths).all()
    assert (whole.matrix[:3] != source).any()
