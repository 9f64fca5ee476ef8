"""New items: encoded as the release would have, and appended to it without touching what it had."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner, Result

from alignrec.export import Manifest, RefusedError, load_features, verify_folder
from alignrec.export.errors import ReleaseError
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run
from tests.pipeline.catalogues import write_catalogue

SETS = ["image", "text", "multimodal", "content", "aligned"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of 28 items; the same items and two more in new.jsonl."""
    folder = tmp_path_factory.mktemp("shop")
    config = write_catalogue(folder, items=30, users=12)
    lines = (folder / "items.jsonl").read_text().splitlines(keepends=True)
    (folder / "new.jsonl").write_text("".join(lines[26:]))
    (folder / "items.jsonl").write_text("".join(lines[:28]))
    settings = yaml.safe_load(config.read_text())
    settings["export"] = {"sets": SETS, "license": "mit"}
    settings["train"] = {"epochs": 1}
    config.write_text(yaml.safe_dump(settings))
    run(config, console=Console(quiet=True))
    return folder


def call(command: str, shop: Path, out: Path, *more: str, release: Path | None = None) -> Result:
    source = release or shop / "run" / "release"
    arguments = [command, str(shop / "new.jsonl"), "--release", str(source), "--out", str(out), *more]
    return CliRunner().invoke(app, arguments)


def test_encoded_vectors_are_those_of_the_release(shop: Path, tmp_path: Path) -> None:
    ended = call("encode", shop, tmp_path / "e", "--json")
    assert ended.exit_code == 0, ended.exception
    assert json.loads(ended.stdout.splitlines()[-1])["items"] == 4
    for name in ("image", "text", "multimodal"):
        new = load_features(tmp_path / "e" / "release", name)
        assert list(new.ids) == ["i26", "i27", "i28", "i29"] and new.valid.all()
        old, _ = load_features(shop / "run" / "release", name).align_to(["i26", "i27"])
        np.testing.assert_allclose(new.align_to(["i26", "i27"])[0], old, atol=1e-5)
    assert load_features(tmp_path / "e" / "release", "aligned").origin == ["content"] * 4


def test_an_extended_release_keeps_every_byte_it_had(shop: Path, tmp_path: Path) -> None:
    ended = call("extend", shop, tmp_path / "x", "--json")
    assert ended.exit_code == 0, ended.exception
    answer = json.loads(ended.stdout.splitlines()[-1])
    assert (answer["added"], answer["there"]) == (2, 2)
    old, new = shop / "run" / "release", tmp_path / "x" / "release"
    before, after = Manifest.read(old), verify_folder(new)
    assert set(before.files) <= set(after.files)
    assert {e.path for e in set(after.files) - set(before.files)} == {
        "data/rejected-00001.parquet",
        *(f"data/{name}/part-00001.parquet" for name in SETS),
    }
    assert after.provenance["extends"] == [before.release_id]
    aligned = load_features(new, "aligned")
    assert len(aligned.ids) == 30 and aligned.origin is not None
    assert aligned.origin[-2:] == ["content", "content"]
    again = call("extend", shop, tmp_path / "y", release=new)
    assert isinstance(again.exception, ReleaseError) and "no new item" in str(again.exception)


def test_other_weights_are_refused(shop: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from alignrec.pipeline.commands import encode

    cards = encode._cards

    def other(release: object) -> dict[str, dict[str, object]]:
        found = cards(release)  # type: ignore[arg-type]
        return found | {"text": found["text"] | {"weights_sha256": "0" * 64}}

    monkeypatch.setattr(encode, "_cards", other)
    ended = call("extend", shop, tmp_path / "z")
    assert isinstance(ended.exception, RefusedError) and "weights_sha256 differ" in str(ended.exception)
    assert not (tmp_path / "z" / "release").exists()
