"""What an extractor reads: kinds of content, and the modalities of a catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PIL import Image

from alignrec.core import vocabulary
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.inputs.images import decode_image


@dataclass(frozen=True)
class Kind:
    """A kind of content, and how it gets to a model; a type of its own for pictures, texts and what comes.

    Attributes:
        name: as a card has it.
        decode: from the bytes of a file or of a table's cell to what `Extractor.prepare` takes; it raises
            `RejectedError`. None where a table holds what a model reads, as it does with texts.
        blank: an item of no content, for trying a model; None where a catalogue's own items serve.
        by_length: whether items are sorted by length before they are cut into batches.
        libraries: installed distributions whose versions decide what `decode` gives.
    """

    name: str
    decode: Callable[[bytes], Any] | None = None
    blank: Callable[[], Any] | None = None
    by_length: bool = False
    libraries: tuple[str, ...] = ()


@dataclass(frozen=True)
class Modality:
    """One content of an item.

    Attributes:
        name: of its feature set, and of its model in a config.
        kind: what it is.
    """

    name: str
    kind: Kind


def _blank_image() -> Image.Image:
    return Image.new("RGB", (64, 64))


IMAGE = Kind(vocabulary.IMAGE, decode=decode_image, blank=_blank_image, libraries=("pillow",))
TEXT = Kind(vocabulary.TEXT, by_length=True)

KINDS = {kind.name: kind for kind in (IMAGE, TEXT)}
# The modalities that a catalogue has by default: one of each kind, of the kind's name.
MODALITIES = {name: Modality(name, kind) for name, kind in KINDS.items()}


def find_modality(name: str) -> Modality:
    """The modality of a name.

    Raises:
        ExtractorError: there is none.
    """
    if name not in MODALITIES:
        raise ExtractorError(f"modality {name!r} is unknown: use {' or '.join(MODALITIES)}")
    return MODALITIES[name]
