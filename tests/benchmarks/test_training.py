"""The benchmark of epochs runs, on a catalogue where it proves nothing."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from benchmarks import training
from benchmarks.scale import random_split


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A tiny catalogue in MMRec's format."""
    split = random_split(60, 40, 500)
    rows = zip(split.user, split.item, split.label, strict=True)
    table = "".join(f"{user}\t{item}\t{label}\n" for user, item, label in rows)
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "tiny.inter").write_text("userID\titemID\tx_label\n" + table)
    np.save(folder / "mm_feat.npy", np.random.default_rng(1).standard_normal((40, 8), dtype=np.float32))
    return folder


def clone(root: Path, main: str) -> Path:
    """A stand-in for the authors' repository: what its main logs is all that counts."""
    (root / "src").mkdir(parents=True)
    (root / "src" / "main.py").write_text("import logging, sys, time\nlogging.basicConfig(level=20)\n" + main)
    return root


def test_a_tiny_catalogue_prints_both_forms(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    training.main([str(folder), "--epochs", "1"])
    out = capsys.readouterr().out
    for form in ("paper's", "default"):
        assert re.search(rf"{form} form: an epoch [\d.]+ s, with validation [\d.]+ s", out)
    assert "ratio" not in out


def test_the_authors_epochs_are_read_from_their_log_and_their_search_is_ended(tmp_path: Path) -> None:
    log = """
assert sys.argv[1:] == ["--model", "ALIGNREC", "--dataset", "tiny", "--ui_cosine_loss"]
for epoch, seconds in enumerate((9.0, 2.0, 3.0)):
    logging.info("epoch %d training [time: %.2fs, train loss: 1.0000]", epoch, seconds)
    logging.info("epoch %d evaluating [time: 77.00s, valid_score: 0.1]", epoch)
time.sleep(600)
"""
    assert training.authors(clone(tmp_path / "clone", log), "tiny", 3) == 3.0


def test_authors_code_that_fails_says_why(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"(?s)logged 0 epochs, not 2.*no such data set"):
        training.authors(clone(tmp_path / "clone", "sys.exit('no such data set')"), "tiny", 2)
