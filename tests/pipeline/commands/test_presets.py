"""The paper's catalogues: configs that load, and a sample in the true formats, through every stage."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from alignrec.aligner.content_space import centre
from alignrec.aligner.train.settings import TrainSettings
from alignrec.core.files import sha256_file
from alignrec.core.results import Results
from alignrec.core.vectors import unit_rows
from alignrec.export import load_features
from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.interactions import named_items, read_interactions
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.commands.presets import (
    CHECKPOINT,
    GIVEN,
    PRESETS,
    WHERE,
    find_preset,
    missing_files,
    render_preset,
)
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.errors import ConfigError
from alignrec.pipeline.stages.chain import run
from alignrec.pipeline.stages.split import cut_interactions
from tests.pipeline.catalog.tables import write_gzipped
from tests.pipeline.catalogues import picture

SHARED = Path(__file__).resolve().parents[4] / "shared" / "data" / "baby"


def write_preset(folder: Path, name: str = "paper-baby") -> Path:
    config = folder / "alignrec.yaml"
    config.write_text(render_preset(name), encoding="utf-8")
    return config


def review(user: int, item: str, time: int) -> str:
    """A line of a reviews file of 2014, with an invented reviewer."""
    written = {
        "reviewerID": f"A{user:013d}",
        "asin": item,
        "reviewerName": "Somebody",
        "helpful": [0, 0],
        "reviewText": "It does what it should.",
        "overall": float(1 + time % 5),
        "summary": "Fine",
        "unixReviewTime": 1_300_000_000 + 86_400 * time,
        "reviewTime": "03 13, 2011",
    }
    return json.dumps(written)


def product(item: str, **fields: object) -> str:
    """A line of a metadata file of 2014: a Python literal."""
    return repr({"asin": item, "categories": [["Baby"]], "salesRank": {"Baby": 7}, "price": 3.5, **fields})


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_loads_and_says_what_to_get(tmp_path: Path, name: str) -> None:
    config, preset = load_config(write_preset(tmp_path, name)), find_preset(name)
    assert config.name == name and config.split.ratios == (0.8, 0.1, 0.1) and config.split.k_core == 5
    assert config.catalog.interactions is not None and config.catalog.interactions.min_rating is None
    assert config.train == TrainSettings.paper()
    assert config.modalities == config.finetuned == ("both",) and config.evaluate.full
    assert config.finetune is not None and config.finetune.classify
    assert 18 * preset.items <= config.finetune.steps * config.finetune.batch_size <= 22 * preset.items
    assert config.catalog.items.path == f"amazon-2014:{tmp_path / preset.metadata}"
    assert missing_files(name, tmp_path) == [WHERE + preset.metadata, WHERE + preset.reviews]
    (tmp_path / preset.reviews).touch()
    assert missing_files(name, tmp_path) == [WHERE + preset.metadata]
    text = render_preset(name)
    assert max(map(len, text.splitlines())) <= 120
    assert config.evaluate.published == preset.published


def test_given_features_need_no_encoder(tmp_path: Path) -> None:
    """What a preset says to write in place of its catalogue and encoder is a config."""
    lines = [line.removeprefix("#").removeprefix(" ") for line in GIVEN[3:]]
    section = "\n".join(line.removeprefix("  ") for line in lines).replace("FOLDER", str(tmp_path))
    (tmp_path / "image_feat.npy").touch()
    (tmp_path / "alignrec.yaml").write_text(section)
    config = load_config(tmp_path / "alignrec.yaml")
    assert config.catalog.items.path == f"mmrec:{tmp_path}" and config.catalog.items.text == "{text}"
    assert config.extract.image == f"given:{tmp_path / 'image_feat.npy'}"


def test_an_unknown_preset() -> None:
    with pytest.raises(ConfigError, match=r"preset 'paper-babies' is unknown: .*paper-baby"):
        render_preset("paper-babies")


@pytest.mark.slow
def test_a_sample_in_the_true_formats_runs_through_every_stage(tmp_path: Path) -> None:
    pytest.importorskip("sentencepiece")
    from tests.extractors.backends.beit3.checkpoints import save_published

    config, rng = write_preset(tmp_path), np.random.default_rng(0)
    items = [f"B{number:09d}" for number in range(24)]
    lines = [
        product(item, title=f"a red shirt {number}", brand="cotton", imUrl=f"http://ecx.example/{number}.jpg")
        for number, item in enumerate(items[:-1])
    ]
    lines += [product(items[-1], description="long sleeves"), product("X000000000", title="in no review")]
    write_gzipped(tmp_path / "meta_Baby.json.gz", lines)
    (tmp_path / "images").mkdir()
    for number, item in enumerate(items[:-2]):
        (tmp_path / "images" / f"{item}.jpg").write_bytes(picture(number, "JPEG"))
    bought = [(user, items[place]) for user in range(20) for place in rng.permutation(len(items))[:10]]
    reviews = [review(user, item, time) for time, (user, item) in enumerate(bought)]
    write_gzipped(tmp_path / "reviews_Baby_5.json.gz", reviews)
    (tmp_path / "beit3").mkdir()
    checkpoint = save_published(tmp_path / "beit3") / "beit3_tiny.pth"
    checkpoint.rename(tmp_path / "beit3" / CHECKPOINT)
    small = {"train.epochs": 2, "train.dim": 8, "train.batch_size": 64, "extract.max_rejected": 0.2}
    small |= {"finetune.steps": 4, "finetune.save_every": 2, "finetune.codes": 4, "finetune.held_out": 0.4}
    small |= {"finetune.batch_size": 8, "finetune.precision": "float32", "evaluate.seeds": "[1]"}
    small |= {f"{stage}.device": "cpu" for stage in ("train", "extract", "pretrain", "finetune")}
    done = run(config, overrides=[f"{key}={value}" for key, value in small.items()])
    assert list(done.stages)[:2] == ["finetune", "extract"]
    folder = tmp_path / "runs" / "paper-baby"
    assert (folder / "release" / "manifest.json").is_file() and (folder / "report.html").is_file()
    features = {name: load_features(folder / "release", name) for name in ("both", "multimodal", "aligned")}
    assert {len(one.ids) for one in features.values()} == {24}
    cards = json.loads((folder / "release" / "encoder" / "extractors.json").read_text())
    tuned = sha256_file(folder / "finetune" / "beit3.safetensors")
    assert {name: card["weights_sha256"] for name, card in cards.items()} == {"both": tuned}
    # What is trained on is [CLS] itself, centred and turned.
    both, turned = centre(features["both"].matrix), unit_rows(features["multimodal"].matrix)
    np.testing.assert_allclose(both @ both.T, turned @ turned.T, atol=1e-4)
    results = Results.read(folder / "evaluate" / "metrics.json")
    subjects = {estimate.subject for estimate in results.estimates}
    # One command measures the landmarks of the paper's table too.
    assert {"both", "multimodal", "aligned", "VBPR", "FREEDOM", "BM3", "LightGCN"} <= subjects


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the catalogue is not beside the project")
def test_the_papers_catalogue_is_read_back_whole(tmp_path: Path) -> None:
    names = [line.split("\t")[0] for line in (SHARED / "i_id_mapping.csv").read_text().splitlines()[1:]]
    pairs = [line.split("\t")[:2] for line in (SHARED / "baby.inter").read_text().splitlines()[1:]]
    reviews = [review(int(user), names[int(item)], time) for time, (user, item) in enumerate(pairs)]
    write_gzipped(tmp_path / "reviews_Baby_5.json.gz", reviews)
    known = [json.loads(line) for line in (SHARED / "items.jsonl").read_text().splitlines()]
    products = [
        product(row["item_id"], **{key: row[key] for key in ("title", "description") if row[key]})
        for row in known
    ]
    others = [product(f"X{number:09d}", title="in no review") for number in range(100)]
    write_gzipped(tmp_path / "meta_Baby.json.gz", [*products, *others])
    (tmp_path / "images").mkdir()
    config = load_config(write_preset(tmp_path), ["catalog.items.image=null"])
    catalogue = read_catalogue(config.catalog.items, FileHashes(), only=named_items(config.catalog))
    assert len(catalogue.item_ids) == 7_050
    assert catalogue.notes[-1].endswith("100 items that no interaction names are left out.")
    assert config.catalog.interactions is not None
    interactions = read_interactions(config.catalog.interactions, catalogue.item_ids)
    cut = cut_interactions(config, catalogue.item_ids, interactions.table).split
    preset = find_preset("paper-baby")
    assert (cut.users, int(cut.recommended.sum()), len(cut.user)) == (19_445, 7_050, 160_792)
    assert (preset.users, preset.items, preset.interactions) == (19_445, 7_050, 160_792)
