from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from alignrec.core.features import FeatureSet
from alignrec.core.results import Results
from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.report.contents import read_contents
from alignrec.pipeline.runner.curves import Curve, write_records
from alignrec.pipeline.runner.run_folder import RunFolder, write_set
from tests.pipeline.run_folders import CARD, DETAIL, IDS, REJECTED, TEXT, VALID, finish, write_extracted


def test_extraction_alone(tmp_path: Path) -> None:
    contents = read_contents(write_extracted(tmp_path))
    assert (contents.item_ids, contents.interactions, contents.users) == (IDS, None, 0)
    assert contents.models == {"text": CARD}
    assert list(contents.sets) == ["text"]
    np.testing.assert_array_equal(contents.sets["text"].matrix, TEXT)
    assert contents.sets["text"].valid.tolist() == VALID
    assert contents.rejected == [REJECTED | {"detail": DETAIL}]
    assert (contents.results, contents.curves) == (Results(), [])


def test_interactions_are_counted_by_item(tmp_path: Path) -> None:
    table = pa.table({"user_id": ["a", "a", "b"], "item_id": ["i0", "i2", "i2"]})
    contents = read_contents(write_extracted(tmp_path, table))
    assert contents.interactions is not None and contents.histories is not None
    assert contents.histories.toarray().tolist() == [[1, 0, 1, 0], [0, 0, 1, 0]]
    assert (contents.interactions.tolist(), contents.users) == ([1, 0, 2, 0], 2)


def test_sets_of_items_and_curves_of_what_was_trained(tmp_path: Path) -> None:
    run = write_extracted(tmp_path)
    valid = np.ones(4, dtype=np.bool_)
    write_set(FeatureSet("multimodal", IDS, TEXT, valid), tmp_path / "pretrain" / "multimodal.arrow")
    write_set(FeatureSet("aligned", IDS, TEXT, valid), tmp_path / "train" / "aligned.arrow")
    users = FeatureSet("user", ["a"], TEXT[:1], valid[:1], "user_id")
    write_set(users, tmp_path / "train" / "user.arrow")
    for stage, sets in (("train", ["user", "aligned"]), ("pretrain", ["multimodal"])):
        write_records([{"epoch": 1, "metric": "loss", "value": 0.5}], tmp_path / stage / "curves.json")
        finish(tmp_path / stage, {}, {"sets": {name: {} for name in sets}})
    contents = read_contents(run)
    assert list(contents.sets) == ["text", "multimodal", "aligned"]
    points = ((1.0, 0.5),)
    assert contents.curves == [Curve(stage, "loss", None, None, points) for stage in ("pretrain", "train")]


def test_without_extraction_there_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunFolderError) as early:
        read_contents(RunFolder(tmp_path))
    assert str(early.value) == (
        f"{tmp_path} has nothing to report on yet: extraction is not finished. Run `alignrec run` first."
    )
