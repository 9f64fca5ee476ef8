"""A catalogue of four modalities, from its tables to a release, new items and other tools' formats."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from alignrec.core.results import Results
from alignrec.export import Manifest, load_features, verify_folder
from alignrec.export.hub.card import render_card
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run
from tests.pipeline.catalogues import picture, write_items
from tests.pipeline.small_models import write_quick_catalogue
from tests.pipeline.tiny_runs import command

MODALITIES: dict[str, Any] = {
    "title": {"type": "text", "template": "{title}"},
    "plot": {"type": "text", "template": ["{genres}", "{description}"]},
    "poster": {"type": "image", "columns": "image"},
    "stills": {"type": "image", "columns": ["still", "more"]},
}
TRAINED = ["multimodal", "content", "aligned"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of 16 items; two of them and two more in new.jsonl."""
    folder = tmp_path_factory.mktemp("shop")
    config = write_quick_catalogue(folder, items=18, users=9)
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        for place in range(3):
            (folder / "images" / f"still-{number}-{place}.png").write_bytes(picture(100 * place + number))
        row["genres"] = ["loud", "new"] if number % 2 else []
        row["still"] = f"images/still-{number}-0.png"
        row["more"] = f"images/still-{number}-1.png|images/still-{number}-2.png" if number % 3 else None
    rows[5]["still"], rows[7]["still"] = "images/absent.png", "images/absent.png"
    rows[7]["more"] = None
    write_items(folder, rows[14:], "new.jsonl")
    write_items(folder, rows[:16])
    settings = yaml.safe_load(config.read_text())
    settings["catalog"]["modalities"] = MODALITIES
    settings["export"] = {"license": "mit"}
    settings["train"] = {"dim": 8, "epochs": 1}
    settings["evaluate"] = {"k": [2], "masked": [0.5]}
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    run(config, console=Console(quiet=True))
    return folder


def test_each_is_a_raw_set_and_what_cannot_be_read_of_several_is_counted(shop: Path) -> None:
    release = shop / "run" / "release"
    manifest = verify_folder(release)
    assert list(manifest.sets) == sorted([*MODALITIES, *TRAINED])
    assert {name: manifest.sets[name].valid for name in MODALITIES} == {
        "title": 16,
        "plot": 16,
        "poster": 16,
        "stills": 15,
    }
    rejected = pq.read_table(release / "data" / "rejected.parquet").to_pylist()
    of_items = [row for row in rejected if row["source"] == "items"]
    assert [(row["item_id"], row["modality"], row["reason"]) for row in of_items] == [
        ("i5", "stills", "not-found"),
        ("i7", "stills", "not-found"),
    ]
    stills, valid = load_features(release, "stills").align_to(["i5", "i7"])
    assert valid.tolist() == [True, False] and stills[0].any() and not stills[1].any()
    assert load_features(release, "multimodal").valid.all()


def test_the_aligner_learns_what_each_is_made_of(shop: Path) -> None:
    inputs = RunFolder(shop / "run").inputs()
    assert list(inputs) == sorted(MODALITIES)
    assert {name: (one.kind, set(one.columns)) for name, one in inputs.items()} == {
        "title": ("text", {"title"}),
        "plot": ("text", {"genres", "description"}),
        "poster": ("image", {"image"}),
        "stills": ("image", {"still", "more"}),
    }
    one, three = (np.diff(inputs["stills"].tokens.offsets)[row] for row in (0, 1))
    assert three == 3 * one > 0


def test_new_items_are_encoded_and_appended(shop: Path, tmp_path: Path) -> None:
    own = {"text": f"transformers:{shop / 'bert'}", "image": f"transformers:{shop / 'vit'}"}
    chosen = [f"{name}={own[entry['type']]}" for name, entry in MODALITIES.items()]
    models = [word for choice in chosen for word in ("--extractor", choice)]
    arguments = (shop / "new.jsonl", *models, "--release", shop / "run" / "release")
    assert command("encode", *arguments, "--out", tmp_path / "e") == 0
    for name in (*MODALITIES, "multimodal"):
        new = load_features(tmp_path / "e" / "release", name)
        assert list(new.ids) == ["i14", "i15", "i16", "i17"] and new.valid.all()
        old, _ = load_features(shop / "run" / "release", name).align_to(["i14", "i15"])
        np.testing.assert_allclose(new.align_to(["i14", "i15"])[0], old, atol=1e-5)
    assert command("extend", *arguments, "--out", tmp_path / "x") == 0
    assert len(load_features(tmp_path / "x" / "release", "stills").ids) == 18
    again = tmp_path / "x" / "release"
    assert command("encode", arguments[0], *models, "--release", again, "--out", tmp_path / "y") == 0, (
        "as the first"
    )


def test_a_format_of_two_places_says_which_modality_goes_where(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = shop / "run" / "release"
    assert command("pull", release, "--format", "mmrec", "--to", tmp_path / "m", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sets"] == ["multimodal", "plot as text", "poster as image"]
    chosen = ("--set", "title", "--set", "stills")
    assert command("pull", release, "--format", "mmrec", "--to", tmp_path / "n", *chosen) == 0
    title = load_features(release, "title").matrix
    np.testing.assert_array_equal(np.load(tmp_path / "n" / "text_feat.npy"), title)
    both = ("--set", "title", "--set", "plot")
    assert command("pull", release, "--format", "mmrec", "--to", tmp_path / "o", *both) != 0
    assert "one set of each of image, text" in capsys.readouterr().err


def test_card_report_and_definitions_name_them_all(shop: Path) -> None:
    release = shop / "run" / "release"
    card = render_card("owner/shop", "1.0.0", Manifest.read(release), {})
    page = (shop / "run" / "report.html").read_text()
    for name in MODALITIES:
        assert f"`{name}`" in card and f"config_name: {name}\n" in card and f">{name}<" in page
    assert card.count("an item's picture, as a frozen image model sees it") == 2
    results = Results.parse((shop / "run" / "evaluate" / "metrics.json").read_bytes())
    assert "mask-title, mask-plot, mask-poster, mask-stills" in results.definitions
    assert {"title", "centred plot", "concatenation"} <= {record.subject for record in results.records}
    halved = {record.protocol for record in results.records if record.share == 0.5}
    assert halved == {*(f"mask-{name}" for name in MODALITIES), "thinned"}
