"""What of a catalogue a model is fine-tuned on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from alignrec.pipeline.catalog.file_hashes import FileHashes
from alignrec.pipeline.catalog.items import read_catalogue
from alignrec.pipeline.config.file import load_config
from alignrec.pipeline.stages.finetune.content import PairedContent
from tests.pipeline.catalogues import write_catalogue, write_items

PAIR = {"type": "pair", "columns": "image", "template": "{title}"}


def content(folder: Path, *, pair: bool) -> PairedContent:
    path = write_catalogue(folder)
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    rows[1]["image"] = None
    rows[2]["title"] = None
    write_items(folder, rows)
    settings = yaml.safe_load(path.read_text()) | {"finetune": {}, "export": {"license": "mit"}}
    settings["catalog"]["items"] |= {"image": None if pair else "image", "text": None if pair else "{title}"}
    settings["catalog"]["modalities"] = {"both": PAIR} if pair else {}
    settings["extract"] = dict.fromkeys(("image", "text", "pair"), "beit3:x")
    path.write_text(yaml.safe_dump(settings))
    config = load_config(path)
    catalogue = read_catalogue(config.catalog.items, FileHashes(), config.catalog.modalities)
    return PairedContent.of(catalogue, config)


@pytest.mark.parametrize("pair", [False, True])
def test_an_item_has_a_picture_a_text_or_both(tmp_path: Path, pair: bool) -> None:
    found = content(tmp_path, pair=pair)
    assert found.item_ids == [f"i{number}" for number in range(6)]
    assert [item.item_id for item in found.pictures] == ["i0", "i2", "i3", "i4", "i5"]
    assert all(item.text is None and isinstance(item.value, Path) for item in found.pictures)
    assert found.texts == {f"i{number}": f"thing {number}" for number in (0, 1, 3, 4, 5)}
    assert found.columns == ("image",)


def test_as_a_pair_or_apart_the_same_content_is_recorded_the_same(tmp_path: Path) -> None:
    apart, pair = (content(tmp_path / str(as_pair), pair=as_pair) for as_pair in (False, True))
    assert apart.record() == pair.record()
