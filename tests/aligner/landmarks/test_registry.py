"""Which landmarks there are, in which order, and that a file outside of the tree adds one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alignrec.aligner.landmarks.registry import LANDMARKS, all_landmarks, landmarks_of
from alignrec.core import plugins
from alignrec.core.plugins import load_plugins
from tests.aligner.landmarks.trainings import INPUT

# Those that learn from modalities, the older first.
MULTIMODAL = ["MMGCN", "GRCN", "SLMRec", "BM3", "FREEDOM", "MGCN"]
PLUGIN = """
import numpy as np
from alignrec.aligner.landmarks.contract import Landmark

def fit(data):
    return lambda users: np.tile(np.arange(data.split.items), (len(users), 1))

LAST = Landmark("last", "the last items of the catalogue first", fit, citation="nobody", year=2030)
"""


def names(*, items: int = 1000, full: bool = False) -> list[str]:
    return [landmark.name for landmark in landmarks_of(items, full=full)]


def test_the_order_is_that_of_the_tables() -> None:
    assert names(full=True) == [
        "popularity",
        "item-CF",
        "EASE",
        "EASE with content",
        "BPR-MF",
        "LightGCN",
        "VBPR",
        *MULTIMODAL,
    ]
    assert names() == ["popularity", "item-CF", "EASE", "EASE with content", "LightGCN"]
    assert names(items=20_001) == ["popularity", "item-CF", "LightGCN"]


def test_each_says_what_it_is() -> None:
    found = {landmark.name: landmark for landmark in all_landmarks()}
    assert found.keys() == LANDMARKS.keys()
    assert [name for name, landmark in found.items() if landmark.trained] == [
        *("BPR-MF", "LightGCN", "VBPR"),
        *MULTIMODAL,
    ]
    assert [name for name, landmark in found.items() if landmark.needs_modalities] == MULTIMODAL
    assert [name for name, landmark in found.items() if landmark.needs_features] == [
        "EASE with content",
        "VBPR",
    ]
    assert {name: landmark.rivals for name, landmark in found.items() if landmark.rivals} == {
        "popularity": {"zero-shot": "popularity"},
        "item-CF": {"item-cf": "co-occurrence"},
    }
    assert all(landmark.citation and landmark.settings for name, landmark in found.items() if landmark.year)
    assert found["popularity"].sentence == found["popularity"].definition
    assert found["EASE"].sentence.startswith("Steck, WWW 2019; users weighed by their number")


def test_a_plugin_file_adds_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "_files", {})
    (tmp_path / "last.py").write_text(PLUGIN)
    load_plugins([tmp_path / "last.py"])
    assert names() == ["popularity", "item-CF", "EASE", "last", "EASE with content", "LightGCN"]
    (last,) = LANDMARKS.find("last").fit(INPUT)(np.array([0]))
    assert last[-1] == INPUT.split.items - 1


def test_names_and_settings_are_known_without_torch() -> None:
    code = (
        "import sys; from alignrec.aligner.landmarks.registry import all_landmarks as a; "
        "print(len(a()), 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(7 + len(MULTIMODAL)), "False"]
