"""The benchmark of reduced decoding runs, at a size where it proves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import decoding
from tests.extractors import models


def test_every_kind_of_photograph_is_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoding, "COUNT", 1)
    name = f"open_clip:local-dir:{models.open_clip_model(tmp_path)}"
    decoding.main(["--model", name, "--side", "176", "--repeat", "1"])
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == f"{name} resizes pictures to 32" and len(lines) == 6
    numbers = r"kB, by 2: full [\d.]+ ms, reduced [\d.]+ ms, ratio [\d.]+; cosine error mean \S+, largest \S+"
    assert all(re.search(numbers, line) for line in lines)
