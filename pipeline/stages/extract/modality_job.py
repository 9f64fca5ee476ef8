"""One modality of an extraction: its model and its work."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from PIL import Image

from alignrec.extractors.contract import Extractor, Modality
from alignrec.extractors.registry import load_extractor
from alignrec.pipeline.catalog.items import STAGE, Input
from alignrec.pipeline.config.settings import Config
from alignrec.pipeline.runner.shards import Shard, plan

# Counts up when the same inputs would give other bytes.
VERSION = 1


@dataclass(frozen=True)
class Side:
    """One modality of the catalogue: its model, its shards, and whether they keep token sequences."""

    modality: Modality
    extractor: Extractor
    batch_size: int
    recipe: dict[str, Any]
    shards: list[Shard]
    tokens: bool


def make_side(config: Config, modality: Modality, inputs: list[Input]) -> Side:
    """Load a modality's model and cut its inputs into shards.

    Raises:
        ExtractorError: what is wrong with the model.
    """
    settings = config.extract
    name = settings.image if modality == "image" else settings.text
    extractor = load_extractor(name, modality, device=settings.device, precision=settings.precision)
    batch_size = settings.batch_size or extractor.batch_size
    recipe = {
        "stage": STAGE,
        "version": VERSION,
        "extractor": asdict(extractor.card),
        "batch_size": batch_size,
        "precision": settings.precision,
        "device": extractor.device,
    }
    if config.pretrains:
        recipe["tokens"] = "float16"
    return Side(modality, extractor, batch_size, recipe, plan(inputs, recipe), config.pretrains)


def bytes_an_item(side: Side) -> int:
    """Roughly what an item takes on disk: its vector, and the tokens of a typical item if they are kept."""
    card = side.extractor.card
    if not side.tokens:
        return 4 * card.dim
    values = (item.value for shard in side.shards for item in shard.inputs)
    texts = sorted((value for value in values if isinstance(value, str)), key=len)
    typical = texts[len(texts) // 2] if texts else Image.new("RGB", (64, 64))
    mask = side.extractor.embed([side.extractor.prepare(typical)], tokens=True).mask
    assert mask is not None
    return 4 * card.dim + 2 * card.token_dim * int(mask.sum())
