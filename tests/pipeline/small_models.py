"""Catalogues that are extracted in no time, for tests of what comes after extraction."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

from alignrec.extractors.testing import WORDS
from tests.extractors import models
from tests.pipeline.catalogues import write_catalogue, write_items


def write_quick_catalogue(folder: Path, items: int, users: int) -> Path:
    """A tiny catalogue with models of two narrow layers beside it, in words that they know."""
    config = write_catalogue(folder, items, users)
    rows = [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    for number, row in enumerate(rows):
        row["title"] = " ".join(WORDS[number // step % len(WORDS)] for step in (1, 3, 7))
    write_items(folder, rows)
    models.vit(folder / "vit")
    models.bert(folder / "bert")
    settings = yaml.safe_load(config.read_text())
    settings["extract"] |= {"image": "transformers:vit", "text": "transformers:bert"}
    config.write_text(yaml.safe_dump(settings))
    return config
