"""A catalogue whose items are heard: from sounds of every form to a release, new items and a report."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from alignrec.core.errors import AlignRecError
from alignrec.export import Manifest, load_features, verify_folder
from alignrec.export.hub.card import render_card
from alignrec.extractors.inputs.audio import wav_bytes
from alignrec.extractors.registry import load_extractor
from alignrec.pipeline.commands.open_encoder import open_encoder
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.runner.run_folder import RunFolder
from alignrec.pipeline.stages.chain import run
from tests.extractors import models
from tests.pipeline.catalogues import picture, sound, write_catalogue, write_items
from tests.pipeline.tiny_runs import command, contents

QUIET = Console(quiet=True)
SILENT, PICTURE = wav_bytes(np.zeros(8_000), 8_000), picture(1)


def write_shop(folder: Path) -> Path:
    """Items with a picture, a title and a sound each; three sounds cannot be used."""
    config = write_catalogue(folder, items=14, users=9)
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    (folder / "sounds").mkdir()
    for number, row in enumerate(rows):
        data = {3: SILENT, 4: PICTURE, 5: sound(5)[:2000]}.get(number, sound(number, 0.3 + 0.05 * number))
        (folder / "sounds" / f"{number}.mp3").write_bytes(data)
        row["jingle"] = f"sounds/{number}.mp3"
    write_items(folder, rows[12:], "new.jsonl")
    write_items(folder, rows[:12])
    settings = yaml.safe_load(config.read_text())
    settings["catalog"]["items"] |= {"image": "image", "text": "{title}"}
    settings["catalog"]["modalities"] = {"jingle": {"type": "audio", "columns": "jingle"}}
    settings["export"] = {"license": "mit"}
    settings["train"] = {"dim": 8, "epochs": 1}
    settings["evaluate"] = {"k": [2], "masked": [0.5]}
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    return config


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heard")
    run(write_shop(folder), console=QUIET)
    return folder


def test_every_item_has_a_row_and_what_cannot_be_heard_its_reason(shop: Path) -> None:
    release = shop / "run" / "release"
    entry = verify_folder(release).sets["jingle"]
    assert (entry.rows, entry.valid, entry.dim) == (12, 9, 128)
    rejected = pq.read_table(release / "data" / "rejected.parquet").to_pylist()
    assert [(row["item_id"], row["modality"], row["reason"]) for row in rejected if row["modality"]] == [
        ("i3", "jingle", "silent"),
        ("i4", "jingle", "not-audio"),
        ("i5", "jingle", "truncated"),
    ]
    assert load_features(release, "multimodal").valid.all()


def test_a_vector_is_that_of_the_extractor_alone(shop: Path) -> None:
    extractor = load_extractor("signal:log-mel", "audio")
    from alignrec.extractors.inputs.audio import decode_audio

    heard = decode_audio((shop / "sounds" / "7.mp3").read_bytes())
    expected = extractor.embed([extractor.prepare(heard)]).pooled[0]
    found, _ = load_features(shop / "run" / "release", "jingle").align_to(["i7"])
    np.testing.assert_allclose(found[0], expected, atol=1e-6)


def test_the_aligner_has_sequences_and_no_column_in_common(shop: Path) -> None:
    inputs = RunFolder(shop / "run").inputs()
    assert {name: (one.kind, set(one.columns)) for name, one in inputs.items()} == {
        "image": ("image", {"image"}),
        "text": ("text", {"title"}),
        "jingle": ("audio", {"jingle"}),
    }
    lengths = np.diff(inputs["jingle"].tokens.offsets)
    assert lengths[[3, 4, 5]].tolist() == [0, 0, 0] and lengths[0] >= 1 and lengths[11] > lengths[0]


def test_evaluation_masks_and_joins_the_sounds(shop: Path) -> None:
    records = json.loads((shop / "run" / "evaluate" / "metrics.json").read_text())["records"]
    assert {"mask-image", "mask-text", "mask-jingle"} <= {record["protocol"] for record in records}
    assert {"jingle", "centred jingle"} <= {record["subject"] for record in records}


def test_new_items_are_encoded_and_appended(shop: Path, tmp_path: Path) -> None:
    arguments = (shop / "new.jsonl", "--release", shop / "run" / "release")
    assert command("encode", *arguments, "--out", tmp_path / "e") == 0
    new = load_features(tmp_path / "e" / "release", "jingle")
    assert list(new.ids) == ["i12", "i13"] and new.valid.all()
    assert command("extend", *arguments, "--out", tmp_path / "x") == 0
    assert load_features(tmp_path / "x" / "release", "jingle").valid.sum() == 11


def test_items_in_memory_are_encoded_as_those_of_the_table(shop: Path) -> None:
    release = shop / "run" / "release"
    heard = [(shop / "sounds" / f"{n}.mp3").read_bytes() for n in (0, 7)]
    found = open_encoder(release).encode(modalities={"jingle": heard})
    stored, _ = load_features(release, "jingle").align_to(["i0", "i7"])
    np.testing.assert_allclose(found["jingle"].matrix, stored, atol=1e-5)
    assert found["multimodal"].valid.all()


def test_card_and_page_have_its_words(shop: Path) -> None:
    card = render_card("owner/shop", "1.0.0", Manifest.read(shop / "run" / "release"), {})
    assert "an item's sound, as a frozen audio model hears it" in card and "signal:log-mel" in card
    assert "Sounds, as a frozen model hears them" in (shop / "run" / "report.html").read_text()


def test_a_format_of_two_places_says_where_sounds_go(
    shop: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    release = shop / "run" / "release"
    assert command("pull", release, "--format", "mmrec", "--to", tmp_path / "m", "--json") == 0
    assert json.loads(capsys.readouterr().out)["sets"] == ["image", "multimodal", "text"]
    chosen = ("--set", "jingle", "--set", "text")
    assert command("pull", release, "--format", "mmrec", "--to", tmp_path / "n", *chosen, "--json") == 0
    assert json.loads(capsys.readouterr().out)["sets"] == ["jingle as image", "text"]
    jingle = load_features(release, "jingle")
    stored = np.load(tmp_path / "n" / "image_feat.npy")
    np.testing.assert_array_equal(stored[jingle.valid], jingle.matrix[jingle.valid])
    both = ("--set", "jingle", "--set", "image")
    assert command("pull", release, "--format", "mmrec", "--to", tmp_path / "o", *both) != 0
    assert "holds the sets image, text, multimodal, not jingle" in capsys.readouterr().err


def test_a_model_from_a_folder_in_the_same_bytes_again(shop: Path, tmp_path: Path) -> None:
    model = models.wav2vec2(tmp_path / "model", norm="layer")
    shutil.copytree(shop, tmp_path / "shop", ignore=shutil.ignore_patterns("run"))
    overrides = [f"extract.audio=transformers:{model}", 'export.sets=["jingle"]', "evaluate.masked=[]"]
    overrides += ["catalog.items.image=null", "catalog.items.text=null"]
    results = []
    for name, batch in (("a", 1), ("b", 8), ("c", 8)):
        config = load_config(
            tmp_path / "shop" / "alignrec.yaml",
            [*overrides, f"extract.batch_size={batch}", f"out={tmp_path / name}"],
        )
        run(config, "export", console=QUIET)
        results.append(tmp_path / name / "release")
    alone, together, again = (load_features(folder, "jingle").matrix for folder in results)
    np.testing.assert_allclose(alone, together, atol=1e-5)
    assert together.tobytes() == again.tobytes()
    assert contents(results[1]) == contents(results[2])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"type": "sound", "columns": "jingle"}, "expected one of image, text, audio"),
        ({"type": "audio", "template": "{title}"}, "type audio needs columns"),
        ({"type": "audio", "columns": "title"}, "not one of 12 items has jingle"),
        ({"type": "audio", "columns": "image"}, "images? of items|jingles of items cannot be used"),
    ],
)
def test_what_is_wrong_with_a_modality_of_sounds_is_one_error(
    shop: Path, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    settings = yaml.safe_load((shop / "alignrec.yaml").read_text())
    settings["catalog"]["modalities"] = {"jingle": change}
    config = shop / "other.yaml"
    config.write_text(yaml.safe_dump(settings | {"out": str(tmp_path / "run")}))
    with pytest.raises(AlignRecError, match=says):
        run(config, "extract", console=QUIET)
