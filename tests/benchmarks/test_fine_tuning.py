"""The benchmark of fine-tuning runs, on what proves nothing; shuffled texts are others' texts."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sentencepiece")

from benchmarks import fine_tuning
from tests.aligner.finetune.tiny_model import tiny_items


def test_no_item_keeps_its_text_and_none_gets_lost() -> None:
    items = tiny_items()
    items = replace(items, texts=[[*ids, row] if ids else [] for row, ids in enumerate(items.texts)])
    others = fine_tuning.shuffled(items, 3)
    assert np.array_equal(others.text, items.text)
    assert sorted(others.texts) == sorted(items.texts)
    assert all(mine != theirs for mine, theirs in zip(items.texts, others.texts, strict=True) if mine)


@pytest.mark.slow
def test_every_training_is_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log.jsonl"
    few = partial(fine_tuning.make_catalogue, items=200, users=90)
    monkeypatch.setattr(fine_tuning, "make_catalogue", few)
    fine_tuning.main(["--seeds", "12", "13", "-o", "steps=2", "-o", "codes=8", "--log", str(log)])
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["seeds"] for line in lines] == [[12], [13], [12, 13]]
    for line in lines:
        assert set(line["pair"]) == {"before", "after", "after shuffled pairs"} | {
            "over before",
            "over after shuffled pairs",
        }
