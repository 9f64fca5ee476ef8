"""What of a catalogue a model is fine-tuned on: one picture and one text an item."""

from __future__ import annotations

from dataclasses import dataclass, replace

from alignrec.core.vocabulary import IMAGE, PAIR, TEXT
from alignrec.pipeline.catalog.inputs import Input
from alignrec.pipeline.catalog.items import Catalogue
from alignrec.pipeline.config.settings import Config


@dataclass(frozen=True)
class PairedContent:
    """Pictures and texts by item.

    Attributes:
        item_ids: the catalogue's, in its order.
        pictures: the first picture of each item that has one, in the same order, without texts.
        texts: the text of each item that has one.
        columns: of the items table that hold the pictures.
    """

    item_ids: list[str]
    pictures: list[Input]
    texts: dict[str, str]
    columns: tuple[str, ...]

    @classmethod
    def of(cls, catalogue: Catalogue, config: Config) -> PairedContent:
        """What the modalities hold that the fine-tuned model reads; a config has those agree."""
        located = {name: config.catalog.located[name] for name in config.finetuned}
        sources = {
            kind: next(name for name, one in located.items() if one.type in (kind, PAIR))
            for kind in (IMAGE, TEXT)
        }
        pictures: dict[str, Input] = {}
        texts: dict[str, str] = {}
        for item in catalogue.inputs[sources[IMAGE]]:
            if not isinstance(item.value, str):  # half a pair is its text
                pictures.setdefault(item.item_id, replace(item, text=None))
        for item in catalogue.inputs[sources[TEXT]]:
            text = item.text if item.text is not None else item.value
            if isinstance(text, str):
                texts.setdefault(item.item_id, text)
        return cls(list(catalogue.item_ids), list(pictures.values()), texts, located[sources[IMAGE]].columns)

    def record(self) -> dict[str, object]:
        """What of it decides the training."""
        return {
            "items": self.item_ids,
            "pictures": [[item.item_id, item.digest] for item in self.pictures],
            "texts": [[item_id, self.texts[item_id]] for item_id in self.item_ids if item_id in self.texts],
        }
