"""Encode only: BEiT-3 over pictures, texts and both at once, from an items table to a release and more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from alignrec.core.results import Results
from alignrec.export import load_features
from alignrec.pipeline.cli.app import app
from alignrec.pipeline.commands.open_encoder import open_encoder
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run
from tests.pipeline.catalogues import write_catalogue, write_items

pytest.importorskip("sentencepiece")

from tests.extractors.backends.beit3.checkpoints import save_published

SETS = ["image", "text", "both", "average"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run over 30 items, of which one has no picture and one no text."""
    folder = tmp_path_factory.mktemp("shop")
    config = write_catalogue(folder, items=30, users=12)
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    rows[4]["image"] = None
    rows[5] |= {"title": None, "description": None}
    write_items(folder, rows)
    (folder / "beit3").mkdir()
    save_published(folder / "beit3")
    settings = yaml.safe_load(config.read_text())
    both = {"type": "pair", "columns": "image", "template": "{title}. {description}"}
    settings["catalog"]["items"] |= {"image": "image", "text": "{title}. {description}"}
    settings["catalog"]["modalities"] = {"both": both, "average": both | {"model": "beit3:mean:beit3"}}
    settings["extract"] |= {"image": "beit3:beit3", "text": "beit3:beit3", "pair": "beit3:beit3"}
    settings["export"] = {"sets": SETS, "license": "mit"}
    config.write_text(yaml.safe_dump(settings))
    run(config, console=Console(quiet=True))
    return folder


def test_every_pooling_is_measured_beside_the_centred_concatenation(shop: Path) -> None:
    results = Results.read(shop / "run" / "evaluate" / "metrics.json")
    for protocol in ("zero-shot", "item-cf"):
        subjects = {estimate.subject for estimate in results.select(protocol=protocol).estimates}
        assert {*SETS, "centred both", "centred average", "centred concatenation"} <= subjects


def test_half_a_pair_is_what_the_model_makes_of_it_alone(shop: Path) -> None:
    wanted = ["i4", "i5", "i6"]
    (image, seen), (text, read), (both, whole) = (
        load_features(shop / "run" / "release", name).align_to(wanted) for name in ("image", "text", "both")
    )
    assert (seen.tolist(), read.tolist()) == ([False, True, True], [True, False, True]) and whole.all()
    np.testing.assert_allclose(both[0], text[0], atol=1e-5)
    np.testing.assert_allclose(both[1], image[1], atol=1e-5)
    assert np.abs(both[2] - image[2]).max() > 0.1


@pytest.mark.parametrize("command", ["encode", "extend"])
def test_new_items_get_the_same_vectors(shop: Path, tmp_path: Path, command: str) -> None:
    lines = (shop / "items.jsonl").read_text().splitlines()
    again = [json.loads(line) for line in lines[3:7]]
    if command == "extend":
        again = [row | {"item_id": f"new {row['item_id']}"} for row in again]
    items = write_items(shop, again, "new.jsonl")
    models = [f"{name}=beit3:{'mean:' if name == 'average' else ''}{shop / 'beit3'}" for name in SETS]
    options = [part for model in models for part in ("--extractor", model)]
    out, release = tmp_path / "out", shop / "run" / "release"
    arguments = [command, str(items), "--release", str(release), "--out", str(out), *options]
    ended = CliRunner().invoke(app, arguments)
    assert ended.exit_code == 0, ended.exception or ended.output
    for name in SETS:
        old, _ = load_features(release, name).align_to([f"i{n}" for n in range(3, 7)])
        new, _ = load_features(out / "release", name).align_to([row["item_id"] for row in again])
        np.testing.assert_allclose(new, old, atol=1e-5)


def test_pairs_in_memory_get_the_same_vectors(shop: Path) -> None:
    models = {name: f"beit3:{'mean:' if name == 'average' else ''}{shop / 'beit3'}" for name in SETS}
    rows = [json.loads(line) for line in (shop / "items.jsonl").read_text().splitlines()][3:7]
    release = shop / "run" / "release"
    encoder = open_encoder(release, extractors=models, device="cpu")
    given = [(row["image"] and shop / row["image"], row) for row in rows]
    found = encoder.encode(modalities={"both": given, "average": given})
    for name in ("both", "average"):
        old, _ = load_features(release, name).align_to([row["item_id"] for row in rows])
        np.testing.assert_allclose(found[name].matrix, old, atol=1e-5)


def test_another_pooling_is_another_model(shop: Path, tmp_path: Path) -> None:
    wrong = [f"{name}=beit3:{shop / 'beit3'}" for name in SETS]  # average by [CLS]
    options = [part for model in wrong for part in ("--extractor", model)]
    arguments = ["encode", str(shop / "items.jsonl"), "--release", str(shop / "run" / "release")]
    ended = CliRunner().invoke(app, [*arguments, "--out", str(tmp_path / "out"), *options])
    assert ended.exit_code != 0 and "average" in str(ended.exception)


def test_configs_of_pairs() -> None:
    pair = {"type": "pair", "columns": "image", "template": "{title}"}
    catalog = {"items": {"path": "x", "image": "image"}, "modalities": {"both": pair}}
    with pytest.raises(ValueError, match=r"catalog\.modalities\.both is a pair, .*: set extract\.pair"):
        Config.model_validate({"catalog": catalog})
    model = {"extract": {"pair": "beit3:x"}}
    assert Config.model_validate({"catalog": catalog, **model}).model_of("both") == "beit3:x"
    masked = {"evaluate": {"masked": [0.5]}}
    with pytest.raises(ValueError, match="cannot take away what a pair still holds"):
        Config.model_validate({"catalog": catalog, **model, **masked})
