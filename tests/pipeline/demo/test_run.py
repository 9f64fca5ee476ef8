from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.demo import run as module
from alignrec.pipeline.demo.run import write_demo
from alignrec.pipeline.runner.console import Console


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds that catalogues were drawn with; each is a single file."""
    seeds: list[int] = []

    def make(folder: Path, seed: int) -> None:
        seeds.append(seed)
        (folder / "items.jsonl").write_text(str(seed))

    monkeypatch.setattr(module, "make_catalogue", make)
    return seeds


def test_its_config_loads_and_has_the_seed(tmp_path: Path, drawn: list[int]) -> None:
    path = write_demo(tmp_path / "demo", 4, Console(quiet=True))
    config = load_config(path)
    assert path == tmp_path / "demo" / "alignrec.yaml" and drawn == [4]
    assert (config.name, config.seed, config.run_folder) == ("demo", 4, tmp_path / "demo" / "run")


def test_a_catalogue_is_drawn_once_and_anew_for_another_seed(tmp_path: Path, drawn: list[int]) -> None:
    for seed in (1, 1, 2, 2):
        write_demo(tmp_path, seed, Console(quiet=True))
    assert drawn == [1, 2]
    assert (tmp_path / "catalogue" / "items.jsonl").read_text() == "2"
