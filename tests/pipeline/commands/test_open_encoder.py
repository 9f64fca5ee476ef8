"""Items in memory get the vectors that `alignrec encode` gives them, by models that stay loaded."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from PIL import Image

import alignrec
from alignrec.export import RefusedError, load_features
from alignrec.extractors.registry import load_extractor
from alignrec.pipeline.commands import open_encoder as module
from alignrec.pipeline.commands.open_encoder import ReleaseEncoder, embed, encode, open_encoder
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.console import Console
from alignrec.pipeline.stages.chain import run
from tests.export.release.cases import make_release, make_set, reseal
from tests.pipeline.catalogues import picture, write_catalogue, write_items
from tests.pipeline.tiny_runs import command

TEMPLATE = "{title}. {description}"
MODALITIES = {
    "plot": {"type": "text", "template": ["{genres}", "{description}"]},
    "stills": {"type": "image", "columns": "still"},
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release of four modalities and all item sets; new.jsonl, and what `encode` makes of it."""
    folder = tmp_path_factory.mktemp("shop")
    config = write_catalogue(folder, items=16, users=9)
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["genres"] = ["loud", "new"] if number % 2 else []
        row["still"] = f"images/{number}.png|images/{(number + 1) % 16}.png" if number % 3 else None
    new = [row | {"item_id": f"n{number}"} for number, row in enumerate(rows[:5])]
    new[2]["image"], new[3]["title"], new[3]["description"] = None, None, None
    write_items(folder, rows)
    write_items(folder, new, "new.jsonl")
    settings = yaml.safe_load(config.read_text())
    settings["catalog"]["items"] |= {"image": "image", "text": TEMPLATE}
    settings["catalog"]["modalities"] = MODALITIES
    settings["export"] = {"license": "mit"}
    settings["train"] = {"epochs": 1}
    config.write_text(yaml.safe_dump(settings, sort_keys=False))
    run(config, "export", ["evaluate.masked=[]", "evaluate.k=[2]"], Console(quiet=True))
    arguments = (folder / "new.jsonl", "--release", folder / "run" / "release", "--out", folder / "e")
    assert command("encode", *arguments, "--max-rejected", "1") == 0
    return folder


@pytest.fixture(scope="module")
def encoder(shop: Path) -> ReleaseEncoder:
    return open_encoder(shop / "run" / "release")


def given(shop: Path, rows: Sequence[int] = range(5)) -> dict[str, Any]:
    """The new items, each picture in another form."""
    items = [json.loads(line) for line in (shop / "new.jsonl").read_text().splitlines()]
    items = [items[row] for row in rows]

    def stills(row: dict[str, Any]) -> list[Path] | None:
        return [shop / name for name in row["still"].split("|")] if row["still"] else None

    forms = (Path, str, Path.read_bytes, lambda file: Image.open(io.BytesIO(file.read_bytes())), Path)
    return {
        "images": [
            form(shop / row["image"]) if row["image"] else None
            for form, row in zip(forms, items, strict=False)
        ],
        "texts": [row if row["title"] else None for row in items],
        "modalities": {"plot": items, "stills": [stills(row) for row in items]},
        "ids": [row["item_id"] for row in items],
    }


def test_they_are_those_of_the_command(shop: Path, encoder: ReleaseEncoder) -> None:
    found = encoder.encode(**given(shop))
    expected = shop / "e" / "release"
    all_sets = [*MODALITIES, "aligned", "content", "image", "multimodal", "text"]
    assert list(found) == list(encoder.sets) == sorted(all_sets)
    for name, features in found.items():
        wanted = load_features(expected, name)
        assert (features.ids, features.origin, features.key) == (wanted.ids, wanted.origin, wanted.key)
        np.testing.assert_array_equal(features.valid, wanted.valid)
        np.testing.assert_allclose(features.matrix, wanted.matrix, atol=1e-5)
    assert found["image"].valid.tolist() == [True, True, False, True, True]
    assert found["text"].valid.tolist() == [True, True, True, False, True]
    assert found["multimodal"].valid.all()


def test_an_item_alone_is_as_among_others(shop: Path, encoder: ReleaseEncoder) -> None:
    together = encoder.encode(**given(shop))
    for row in range(5):
        alone = encoder.encode(**given(shop, [row]))
        for name, features in alone.items():
            np.testing.assert_allclose(features.matrix[0], together[name].matrix[row], atol=1e-5)


def test_views_may_be_missing_and_texts_given_as_they_are(shop: Path, encoder: ReleaseEncoder) -> None:
    rows = given(shop, [0])
    texts = encoder.encode(texts=["thing 0. a fine thing", None])
    assert texts["multimodal"].ids == ["0", "1"] and texts["multimodal"].valid.tolist() == [True, False]
    expected = encoder.encode(texts=rows["texts"])
    np.testing.assert_allclose(texts["text"]["0"], expected["text"]["0"], atol=1e-5)
    np.testing.assert_allclose(texts["aligned"]["0"], expected["aligned"]["0"], atol=1e-5)
    pictures = encoder.encode(images=[picture(3)])
    assert pictures["image"].valid.all() and pictures["aligned"].valid.all()
    assert not pictures["text"].valid.any()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "there is no item to encode: give image or plot or stills or text"),
        ({"texts": []}, "there is no item to encode"),
        ({"texts": ["a"], "images": [None, None]}, "entry for each item.* 2 of image, 1 of text"),
        ({"texts": "a chair"}, "text: expected a list with an entry for each item, got one str"),
        ({"texts": [7]}, "text of item 0 is a int"),
        ({"images": [b"no picture"]}, "image of item 0 cannot be used: not-an-image"),
        ({"images": [[picture(1), picture(2)]]}, "image of item 0: 2 pictures; the release reads 1"),
        (
            {"modalities": {"sound": [b""]}},
            "no model of 'sound'; its items have image, plot, stills",
        ),
        ({"texts": ["a"], "modalities": {"text": ["a"]}}, "text is given twice, as texts and by its name"),
        ({"texts": ["a", "b"], "ids": ["x", "x"]}, "expected 2 distinct ids, one an item, got 1"),
    ],
)
def test_what_cannot_be_encoded_is_named(
    encoder: ReleaseEncoder, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(CatalogError, match=message):
        encoder.encode(**arguments)


def test_one_call_keeps_the_models_of_the_release_that_there_is(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []

    class Counted(ReleaseEncoder):
        def __init__(self, release: Any, *more: Any) -> None:
            opened.append(release.where)
            self.encode = lambda *_, **__: {}  # type: ignore[method-assign]

    monkeypatch.setattr(module, "ReleaseEncoder", Counted)
    monkeypatch.setattr(module, "_open", {})
    release = str(shop / "run" / "release")
    for _ in range(3):
        alignrec.encode(release, texts=["a"])
    assert opened == [release]
    other, third = (str(make_release(shop / name, make_set("image"))) for name in ("other", "third"))
    for where in (other, release, third, release, other):
        encode(where, texts=["a"])
    assert opened == [release, other, third, other]
    make_release(Path(other), make_set("image", dim=3))
    encode(other, texts=["a"])
    assert opened[4:] == [other]


def test_nothing_that_a_release_names_on_this_machine_is_opened(shop: Path, tmp_path: Path) -> None:
    release = tmp_path / "release"
    shutil.copytree(shop / "run" / "release", release)
    cards = json.loads((release / "encoder/extractors.json").read_text())
    cards["text"]["name"] = "transformers:/etc/models"
    (release / "encoder/extractors.json").write_text(json.dumps(cards))
    reseal(release, {})
    with pytest.raises(RefusedError, match="no path that a release names is opened"):
        open_encoder(release)
    other = "packaged:efficientnet-lite0"
    with pytest.raises(alignrec.AlignRecError):
        open_encoder(release, extractors={"text": other})
    assert open_encoder(release, extractors={"text": "packaged:all-minilm-l6-v2"}).sets


def test_batches_hold_items_of_like_length_and_give_the_order_back() -> None:
    extractor = load_extractor("packaged:all-minilm-l6-v2", "text", device="cpu")
    extractor.batch_size = 2
    prepared = [extractor.prepare("word " * length) for length in (9, 1, 5, 2, 7)]
    vectors, sequences = embed(extractor, prepared, tokens=True)
    for row, one in enumerate(prepared):
        alone = extractor.embed([one], tokens=True)
        np.testing.assert_allclose(vectors[row], alone.pooled[0], atol=1e-5)
        assert alone.mask is not None and len(sequences[row]) == alone.mask.sum()
    nothing, none = embed(extractor, [], tokens=True)
    assert nothing.shape == (0, 384) and none == []
