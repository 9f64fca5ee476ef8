"""The benchmark of the checks runs, at a size where it proves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alignrec.core import sealed
from benchmarks import checks
from tests.pipeline.tiny_runs import write_tiny


def test_a_whole_run_and_one_with_nothing_to_do_are_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    read = sealed.read_sealed
    checks.main(["-c", str(write_tiny(tmp_path)), "-o", "export.sets=[text]", "-o", "split.k_core=1"])
    whole, again = capsys.readouterr().out.splitlines()
    numbers = r"[\d.]+ s, of which checks (0\.\d+) s, ratio [\d.]+"
    for line, title in ((whole, r"a whole run \(at most 0\.03\): "), (again, "nothing left to do: ")):
        found = re.fullmatch(title + numbers, line)
        assert found and float(found[1]) > 0, line
    assert sealed.read_sealed is read


def test_a_check_within_a_check_counts_once() -> None:
    watch = checks.Watch()
    inner = watch.timed(lambda: 1)
    assert watch.timed(lambda: inner() + 1)() == 2
    assert watch.seconds > 0
