"""The benchmark of one's own models runs, on a catalogue where it proves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import two_tower
from tests.pipeline.tiny_runs import write_tiny

ROWS = ["none", "image", "text", "multimodal", "content", "aligned"]


@pytest.mark.slow
def test_both_tables_have_every_set_and_the_leaks_which_validation_does_not_choose(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_tiny(tmp_path)
    log = tmp_path / "given" / "tiny.inter"
    header, *lines = log.read_text().splitlines()
    times = np.random.default_rng(0).permutation(len(lines))  # not user after user
    lines = [re.sub(r"\t\d+\t0$", f"\t{time}\t0", line) for line, time in zip(lines, times, strict=True)]
    log.write_text("\n".join([header, *lines]) + "\n")
    two_tower.main([str(config), "--seeds", "1", "--out", str(tmp_path / "out")])
    printed = capsys.readouterr().out
    rows = re.findall(r"^\| ([^|]+) \|(?: [\d.]+ \|){1,2} ?([^|]*) \|$", printed, re.MULTILINE)
    assert [name for name, _ in rows] == 2 * [*ROWS, *two_tower.LEAKS]
    gains = [gain for name, gain in rows if name != "none"]
    assert all(re.fullmatch(r"[+-][\d.]+ \[[+-][\d.]+, [+-][\d.]+\]", gain) for gain in gains)
    (chosen,) = re.findall(r"^validation chooses: (.*)$", printed, re.MULTILINE)
    assert chosen in ROWS


def test_a_config_is_cut_by_time_whatever_it_says(tmp_path: Path) -> None:
    settings = two_tower.load_config(write_tiny(tmp_path), ["train.dim=16"])
    config = two_tower.by_time(settings, tmp_path / "out")
    assert (config.split.method, config.split.k_core, config.train.dim) == ("temporal", 1, 16)
    assert config.export.all_interactions and config.run_folder == tmp_path / "out"
