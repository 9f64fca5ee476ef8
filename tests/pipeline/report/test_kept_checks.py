"""The checks of quality are made once for the same vectors, and again where what decides them differs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from alignrec.core.features import FeatureSet
from alignrec.pipeline.report import kept_checks as module
from alignrec.pipeline.report.contents import RunContents
from alignrec.pipeline.report.kept_checks import kept_checks
from alignrec.pipeline.report.quality import check_quality
from alignrec.pipeline.runner.run_folder import RunFolder
from tests.pipeline.report.runs import make_run

IDS = [f"i{n}" for n in range(200)]


@pytest.fixture
def run() -> RunContents:
    """Items of which two are the same, and one is far from all."""
    run = make_run(IDS, trained=False)
    run.sets["image"].matrix[7] = run.sets["image"].matrix[3]
    run.sets["text"].matrix[11] += 40
    return run


def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A list that grows by a seed with each look."""
    seeds: list[int] = []

    def watched(run: RunContents, seed: int) -> object:
        seeds.append(seed)
        return check_quality(run, seed)

    monkeypatch.setattr(module, "check_quality", watched)
    return seeds


def test_the_same_vectors_are_looked_at_once(
    run: RunContents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds, folder = looks(monkeypatch), RunFolder(tmp_path)
    first = kept_checks(folder, run, 1)
    assert first == check_quality(run, 1) and any(one.listings for one in first)
    trained = replace(run, sets=run.sets | {"aligned": run.sets["image"]})
    assert kept_checks(folder, trained, 1) == first == kept_checks(folder, run, 1)
    assert seeds == [1]


@pytest.mark.parametrize("changed", ["seed", "vectors", "validity", "columns", "version", "damage", "other"])
def test_what_decides_them_is_looked_at_again(
    run: RunContents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    seeds, folder, seed = looks(monkeypatch), RunFolder(tmp_path), 1
    kept_checks(folder, run, 1)
    image, file = run.sets["image"], folder.cache("quality")
    if changed == "seed":
        seed = 2
    elif changed == "vectors":
        image.matrix[5] = image.matrix[3]
    elif changed == "validity":
        valid = np.arange(len(IDS)) != 3
        matrix = image.matrix * valid[:, None]
        run = replace(run, sets=run.sets | {"image": FeatureSet("image", IDS, matrix, valid)})
    elif changed == "columns":
        run = replace(run, columns={"image": frozenset("a"), "text": frozenset("a")})
    elif changed == "version":
        monkeypatch.setattr(module, "VERSION", module.VERSION + 1)
    elif changed == "damage":
        file.write_bytes(file.read_bytes().replace(b"items", b"itens"))
    else:
        key = module.read_sealed_json(file)["key"]  # type: ignore[index]
        file.write_bytes(module.seal_json({"key": key, "checks": [{"key": "outliers"}]}))
    assert kept_checks(folder, run, seed) == check_quality(run, seed)
    assert seeds == [1, seed]
