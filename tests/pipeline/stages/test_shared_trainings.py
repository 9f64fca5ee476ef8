"""Two processes train what one does: losses, recall and sets of every training."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from alignrec.aligner.processes import ALONE
from alignrec.pipeline.runner.run_folder import PRETRAIN, TRAIN, RunFolder
from tests.aligner.together import together
from tests.pipeline.shared_runs import train_all
from tests.pipeline.tiny_runs import write_tiny


@pytest.mark.slow
def test_two_processes_train_what_one_does(tmp_path: Path) -> None:
    config = write_tiny(tmp_path / "shop")
    assert together(2, train_all, config, tmp_path / "two") == [None, None]
    shutil.copytree(tmp_path / "two" / "extract", tmp_path / "one" / "extract")
    train_all(ALONE, config, tmp_path / "one")
    two, one = RunFolder(tmp_path / "two"), RunFolder(tmp_path / "one")
    for stage in (PRETRAIN, TRAIN):
        for found, wanted in zip(two.curves(stage), one.curves(stage), strict=True):
            assert found.metric == wanted.metric and len(found.points) == 20
            bound = 0.003 if "@" in found.metric else 1e-4
            np.testing.assert_allclose(found.points, wanted.points, rtol=0, atol=bound, err_msg=found.metric)
    for name in ("multimodal", "aligned", "user"):
        np.testing.assert_allclose(two.features(name).matrix, one.features(name).matrix, atol=1e-3)
    np.testing.assert_allclose(two.retrained("aligned").matrix, one.retrained("aligned").matrix, atol=1e-3)
