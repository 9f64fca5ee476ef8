"""The benchmark of items held back runs, on a catalogue where it proves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from benchmarks import held_back
from tests.pipeline.catalogues import write_catalogue


@pytest.mark.slow
def test_both_tables_are_printed_and_what_was_held_back_is_not_in_the_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_catalogue(tmp_path / "shop", items=45, users=30)
    settings = yaml.safe_load(config.read_text()) | {"train": {"epochs": 1}}
    config.write_text(yaml.safe_dump(settings))
    held_back.main([str(config), "--items", "20", "--out", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    assert re.search(r"pretrained with them +[\d.]+ +encoded over it [+-][\d.]+ \[", printed)
    for reference in ("multimodal, item-CF", "centred concatenation, zero-shot", "popularity"):
        assert re.search(rf"{reference}.* +[\d.]+ +aligned over it [+-][\d.]+ \[", printed)
    rows = {name: (tmp_path / "out" / f"{name}.jsonl").read_text().splitlines() for name in ("kept", "held")}
    assert len(rows["kept"]) == 25 and len(rows["held"]) == 20
