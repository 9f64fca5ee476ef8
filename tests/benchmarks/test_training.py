"""The benchmark of epochs runs, on a catalogue where it proves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import training
from benchmarks.scale import random_split


def test_a_tiny_catalogue_prints_both_forms(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    split = random_split(60, 40, 500)
    rows = zip(split.user, split.item, split.label, strict=True)
    table = "".join(f"{user}\t{item}\t{label}\n" for user, item, label in rows)
    (tmp_path / "tiny.inter").write_text("userID\titemID\tx_label\n" + table)
    np.save(tmp_path / "mm_feat.npy", np.random.default_rng(1).standard_normal((40, 8), dtype=np.float32))
    training.main([str(tmp_path), "--epochs", "1"])
    out = capsys.readouterr().out
    for form in ("paper's", "default"):
        assert re.search(rf"{form} form: an epoch [\d.]+ s, with validation [\d.]+ s", out)
