"""The comparison with clip-retrieval runs, where neither side computes anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from alignrec.pipeline.config.file import load_config
from benchmarks import clip_retrieval
from tests.extractors import models


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    folder = tmp_path / "shown"
    folder.mkdir()
    for name in ("b.jpg", "a.jpg", "c.png", "notes.txt"):
        (folder / name).write_bytes(name.encode())
    return folder


def test_sides_take_turns_and_medians_are_compared(
    pictures: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[str] = []
    took = {"other": [9.0, 8.0, 1.0], "float32": [4.0, 2.0, 8.0], "bfloat16": [1.0, 3.0, 2.0]}

    def run(command: list[str | Path], folder: Path) -> tuple[float, str]:
        side = "other" if command[0] == Path("other").absolute() else folder.name
        turns.append(side)
        return took[side][turns.count(side) - 1], "image: 3 in 1.0 s (3/s): reading"

    monkeypatch.setattr(clip_retrieval, "write_model", models.open_clip_model)
    monkeypatch.setattr(clip_retrieval, "run", run)
    monkeypatch.setattr(clip_retrieval, "has_bfloat16", lambda device: True)
    monkeypatch.setattr(clip_retrieval, "bare_rate", lambda precision, count: 4.0)
    monkeypatch.setattr(clip_retrieval, "largest_error", lambda first, second: 5e-5)
    clip_retrieval.main(["other", str(pictures), "--pictures", "3", "--rounds", "3"])
    bare = "float32 75% of the bare rate, bfloat16 75% of the bare rate"
    assert turns == ["other", "float32", "bfloat16"] * 3
    assert capsys.readouterr().out.splitlines() == [
        "round 1: clip-retrieval 9.0 s, float32 4.0 s, bfloat16 1.0 s, " + bare,
        "round 2: clip-retrieval 8.0 s, float32 2.0 s, bfloat16 3.0 s, " + bare,
        "round 3: clip-retrieval 1.0 s, float32 8.0 s, bfloat16 2.0 s, " + bare,
        "float32: clip-retrieval takes 2.00 times as long; 75% of the bare rate",
        "bfloat16: clip-retrieval takes 4.00 times as long; 75% of the bare rate",
        "bfloat16: vectors within a cosine error of 5.0e-05",
    ]


def test_ours_is_given_the_first_pictures_alone(pictures: Path, tmp_path: Path) -> None:
    table = clip_retrieval.copy_pictures(pictures, tmp_path / "pictures", 2)
    folder = clip_retrieval.write_config(table, models.open_clip_model(tmp_path / "model"), "float32")
    config = load_config(folder / "alignrec.yaml", [])
    assert table.read_text() == "item,photo\na.jpg,a.jpg\nb.jpg,b.jpg\n"
    assert sorted(path.name for path in (tmp_path / "pictures").iterdir()) == ["a.jpg", "b.jpg"]
    assert set(config.catalog.located) == {"image"} and config.extract.precision == "float32"


def test_too_few_pictures_and_a_side_that_fails_are_named(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds 3 pictures, not 4"):
        clip_retrieval.copy_pictures(pictures, tmp_path / "pictures", 4)
    with pytest.raises(SystemExit, match=re.compile("sh ended with 3:.*no such model", re.S)):
        clip_retrieval.run(["sh", "-c", "echo no such model; exit 3"], tmp_path)
