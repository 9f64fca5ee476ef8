"""An extractor outside the project, as a file, a package and from Python: run, `encode`, `extend`."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import yaml

import alignrec
from alignrec.core import plugins
from alignrec.extractors.errors import ExtractorError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.extract.stage import STAGE
from tests.extractors.test_documented import PACKAGE
from tests.pipeline.catalogues import write_catalogue
from tests.pipeline.tiny_runs import command

QUIET = Console(quiet=True)


@pytest.fixture(autouse=True)
def forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No plugin is loaded, and those installed meanwhile are forgotten again."""
    monkeypatch.setattr(plugins, "_files", {})
    plugins._installed.cache_clear()
    yield
    sys.modules.pop("alignrec_colour", None)
    plugins._installed.cache_clear()


def configure(folder: Path, **settings: object) -> Path:
    """A config of pictures alone, read by the example's model; new.jsonl has two items more."""
    config = write_catalogue(folder, items=8)
    lines = (folder / "items.jsonl").read_text().splitlines(keepends=True)
    (folder / "items.jsonl").write_text("".join(lines[:6]))
    (folder / "new.jsonl").write_text("".join(lines[4:]))
    written = yaml.safe_load(config.read_text()) | settings
    written["catalog"] = {"items": written["catalog"]["items"] | {"text": None}}
    written["extract"] = {"image": "colour:histogram", "device": "cpu"}
    written["export"] = {"sets": ["image"], "license": "mit"}
    config.write_text(yaml.safe_dump(written))
    return config


def check_commands(folder: Path, *more: str | Path) -> None:
    """`encode` and `extend` make of new items what the run made of the same."""
    release = folder / "run" / "release"
    arguments = (folder / "new.jsonl", "--release", release, *more)
    assert command("encode", *arguments, "--out", folder / "e") == 0
    assert command("extend", *arguments, "--out", folder / "x") == 0
    old = alignrec.load_features(release, "image")
    assert old.matrix.shape == (6, 24) and old.valid.all()
    new = alignrec.load_features(folder / "e" / "release", "image")
    assert list(new.ids) == ["i4", "i5", "i6", "i7"]
    np.testing.assert_array_equal(new["i5"], old["i5"])
    assert len(alignrec.load_features(folder / "x" / "release", "image")) == 8


def test_a_file_that_a_config_names(tmp_path: Path) -> None:
    assert STAGE.name == "extract"
    file = PACKAGE / "alignrec_colour.py"
    assert command("run", "-c", configure(tmp_path, plugins=[str(file)]), "--quiet") == 0
    plugins._files.clear()
    assert (
        command(
            "encode", tmp_path / "new.jsonl", "--release", tmp_path / "run" / "release", "--out", tmp_path
        )
        == 2
    )
    check_commands(tmp_path, "--plugin", file)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the example's package is installed in, as pip does it."""
    folder = tmp_path_factory.mktemp("installed")
    source = tmp_path_factory.mktemp("source")
    for file in PACKAGE.iterdir():
        if file.is_file():
            (source / file.name).write_bytes(file.read_bytes())  # building writes beside the sources
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
    ]
    subprocess.run([*pip, "--target", folder, source], check=True)
    return folder


def test_an_installed_package(tmp_path: Path, installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(tmp_path)
    monkeypatch.syspath_prepend(installed)
    importlib.invalidate_caches()
    assert command("run", "-c", config, "--quiet") == 0
    check_commands(tmp_path)
    encoder = alignrec.open_encoder(tmp_path / "run" / "release")
    picture = tmp_path / "images" / "7.png"
    found = encoder.encode(images=[picture])["image"]
    expected = alignrec.load_features(tmp_path / "e" / "release", "image")["i7"]
    np.testing.assert_allclose(found["0"], expected, atol=1e-5)


def test_a_command_of_its_own_finds_the_package(tmp_path: Path, installed: Path) -> None:
    config = configure(tmp_path)
    call = [sys.executable, "-m", "alignrec.pipeline.cli.app", "status", "-c", config, "--json"]
    answer = subprocess.run(
        call, env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, check=True
    )
    assert {state["state"] for state in json.loads(answer.stdout)} == {"to do"}
    without = subprocess.run(call, capture_output=True, text=True)
    assert without.returncode == 2 and "unknown scheme 'colour', and no plugin" in without.stderr


def test_loaders_from_python_last_as_long_as_a_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = configure(tmp_path)
    monkeypatch.syspath_prepend(PACKAGE)
    backend = importlib.import_module("alignrec_colour").BACKEND
    release = alignrec.run(config, console=QUIET, loaders=[backend]).release
    assert release is not None
    encoder = alignrec.open_encoder(release, loaders=[backend])
    found = encoder.encode(images=[tmp_path / "images" / "5.png"])["image"]
    np.testing.assert_allclose(found["0"], alignrec.load_features(release, "image")["i5"], atol=1e-5)
    with pytest.raises(ExtractorError, match=r"no plugin that is loaded adds it .*loaders="):
        alignrec.open_encoder(release)
    with pytest.raises(TypeError, match=r"loaders: expected objects of .*Backend, got <function load"):
        alignrec.run(config, loaders=[backend.load])
