from __future__ import annotations

from pathlib import Path

import pytest

from alignrec.core import libraries
from alignrec.extractors.errors import ExtractorError
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.demo import run as module
from alignrec.pipeline.demo.run import write_demo
from alignrec.pipeline.runner.console import Console


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The seeds that catalogues were drawn with, below zero with sound; each is a single file."""
    seeds: list[int] = []

    def make(folder: Path, seed: int, *, sound: bool) -> None:
        seeds.append(-seed if sound else seed)
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


def test_with_sound_it_is_another_catalogue_of_three_modalities(tmp_path: Path, drawn: list[int]) -> None:
    for sound in (False, True, True, False):
        config = load_config(write_demo(tmp_path, 3, Console(quiet=True), sound=sound))
        assert config.modalities == ("image", "text", *(["sound"] if sound else []))
    assert drawn == [3, -3, 3]
    assert config.model_of("image") == "packaged:efficientnet-lite0"


def test_without_what_decodes_sounds_nothing_is_drawn(
    tmp_path: Path, drawn: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def version(name: str) -> str:
        raise libraries.PackageNotFoundError(name)

    monkeypatch.setattr(libraries, "version", version)
    with pytest.raises(ExtractorError, match=r"pip install 'alignrec\[audio\]'"):
        write_demo(tmp_path, 3, Console(quiet=True), sound=True)
    assert not drawn
