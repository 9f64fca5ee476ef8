"""The benchmark of reading runs, at a size where it proves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from benchmarks import reading


def test_both_forms_are_read_and_compared(capsys: pytest.CaptureFixture[str]) -> None:
    reading.main(["--rows", "1000", "--repeat", "1"])
    out = capsys.readouterr().out
    assert out.startswith("1,000 interactions, ")
    for form in ("parquet", "csv"):
        assert re.search(
            rf"^{form}: checked [\d.]+ s, pyarrow alone [\d.]+ s, ratio [\d.]+ "
            r"\(at most 3; [\d.]+ in fresh processes\); peak [\d,]+ MiB, alone [\d,]+, for a table of 0$",
            out,
            re.MULTILINE,
        )


def test_a_turn_counts_every_row(tmp_path: Path) -> None:
    reading.write_interactions(tmp_path, "large", 1000)
    for form in reading.FORMS:
        for reader in reading.READERS:
            with pytest.raises(AssertionError):
                reading.seconds_of(reader, tmp_path / f"large.{form}", 999)
