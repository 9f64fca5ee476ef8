"""The benchmark of batches and formats runs, at a size where it proves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import batches
from tests.extractors import models


@pytest.mark.parametrize("half", [False, True])
def test_each_way_is_compared_with_the_model_s_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, half: bool
) -> None:
    monkeypatch.setattr(batches, "has_bfloat16", lambda _: half)
    batches.main([f"transformers:{models.vit(tmp_path)}", "--items", "4", "--rounds", "1"])
    title, *lines = capsys.readouterr().out.splitlines()
    assert re.search(r"its own way takes [\d.]+ ms of CPU an item$", title)
    assert lines[0] == "float32, batch 8: 1.00 of its CPU time, 1.00 on the clock"
    assert all(re.search(r": [\d.]+ of its CPU time, [\d.]+ on the clock$", line) for line in lines)
    for precision, count in (("float32", 10), ("bfloat16", 10 * half)):
        assert sum(line.startswith(precision) for line in lines) == count
    changed = (
        "batch 1:",
        "batch 32:",
        "channels-last",
        "contiguous",
        "2 cores, 1 a batch",
        "2 cores, 2 a batch",
    )
    assert all(any(words in line for line in lines) for words in changed)
