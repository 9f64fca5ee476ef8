"""On the real catalogue: values agree with those that others computed with the same weights."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from alignrec.extractors.inputs.images import decode_image
from alignrec.extractors.inputs.template import TextTemplate
from alignrec.extractors.inputs.text import clean_text
from alignrec.extractors.registry import load_extractor

TEMPLATE = TextTemplate("{title} ({year}). {genres}. {description} {director}. {cast}")


def reference(ml100k: Path, modality: str) -> tuple[list[dict[str, Any]], np.ndarray]:
    """Thirty-two items and their published vectors, in the same order."""
    bench = ml100k.parents[1] / "bench" / "ml100k"
    if not bench.is_dir():
        pytest.skip("the published vectors are not beside the project")
    with (bench / "i_id_mapping.csv").open() as lines:
        row = {item: int(index) for item, index in list(csv.reader(lines, delimiter="\t"))[1:]}
    items = [json.loads(line) for line in (ml100k / "items.jsonl").read_text().splitlines()]
    chosen = [item for item in items if item["item_id"] in row and item["image"]][:128:4]
    return chosen, np.load(bench / f"{modality}_feat.npy")[[row[item["item_id"]] for item in chosen]]


def cosines(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    return np.asarray((left * right).sum(1) / np.linalg.norm(left, axis=1) / np.linalg.norm(right, axis=1))


def test_texts_agree(ml100k: Path) -> None:
    items, expected = reference(ml100k, "text")
    extractor = load_extractor("packaged:all-minilm-l6-v2", "text", device="cpu")
    texts = [clean_text(TEMPLATE.render(item)) for item in items]
    pooled = extractor.embed([extractor.prepare(text) for text in texts]).pooled
    assert cosines(pooled, expected).min() > 0.99999
    assert np.allclose(np.linalg.norm(pooled, axis=1), 1, atol=1e-5)


def test_images_agree_given_the_same_pixels(ml100k: Path) -> None:
    """The published vectors squash the picture and use ImageNet's statistics, which are not this
    model's: given those pixels, the network agrees with them."""
    items, expected = reference(ml100k, "image")
    extractor = load_extractor("packaged:efficientnet-lite0", "image", device="cpu")
    pictures = [decode_image((ml100k / item["image"]).read_bytes()) for item in items]
    squashed = [np.asarray(one.resize((224, 224), Image.Resampling.BILINEAR)) for one in pictures]
    mean, std = np.array([0.485, 0.456, 0.406]) * 255, np.array([0.229, 0.224, 0.225]) * 255
    pixels = [((one - mean) / std * 128 + 127).astype(np.float32) for one in squashed]
    assert cosines(extractor.embed(pixels).pooled, expected).min() > 0.99999
