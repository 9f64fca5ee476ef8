from __future__ import annotations

import json
from pathlib import Path

import pytest

from alignrec.pipeline.errors import RunFolderError
from alignrec.pipeline.runner.curves import Curve, loss_records, read_curves, write_records


def record(epoch: int, metric: str, value: float, split: str | None) -> dict[str, object]:
    return {"epoch": epoch, "metric": metric, "value": value, "split": split, "seed": 7}


def test_records_are_read_as_a_curve_a_number(tmp_path: Path) -> None:
    records = [
        record(2, "loss", 0.5, "train"),
        record(1, "loss", 1.5, "train"),
        record(1, "recall@20", 0.1, "valid"),
    ]
    write_records(records, tmp_path / "curves.json")
    assert json.loads((tmp_path / "curves.json").read_text()) == {"records": records}
    assert read_curves(tmp_path / "curves.json", "train") == [
        Curve("train", "loss", "train", 7, ((1.0, 1.5), (2.0, 0.5))),
        Curve("train", "recall@20", "valid", 7, ((1.0, 0.1),)),
    ]


def test_losses_of_training_and_of_held_out_items_are_records() -> None:
    curves = [{"loss.words": 2.0, "held out words": 3.0, "recall@20": 0.5}, {"loss.words": 1.0}]
    assert loss_records(curves, 7) == [
        record(1, "words loss", 2.0, "train"),
        record(1, "words loss", 3.0, "held out"),
        record(2, "words loss", 1.0, "train"),
    ]


def test_a_stage_that_has_not_run_has_none(tmp_path: Path) -> None:
    assert read_curves(tmp_path / "curves.json", "train") == []


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"\xff\xfe", b"[]", b'{"records": [{"epoch": 1, "metric": "loss", "value": "high"}]}'],
)
def test_a_damaged_file_is_named_with_what_to_do(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "curves.json"
    path.write_bytes(content)
    with pytest.raises(RunFolderError) as refused:
        read_curves(path, "pretrain")
    message = str(refused.value)
    assert message.startswith(f"{path} holds no training curves (")
    assert message.endswith("). Delete the folder pretrain and run again.")
    assert "\n" not in message
