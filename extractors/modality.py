"""What an extractor reads: kinds of content, and the modalities of a catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from PIL import Image

from alignrec.core import vocabulary
from alignrec.core.libraries import is_installed
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.inputs.audio import Sound, audio_format, decode_audio
from alignrec.extractors.inputs.images import FULL, REDUCED, decode_image, picture_format
from alignrec.extractors.inputs.pair import Pair


@dataclass(frozen=True)
class Kind:
    """A kind of content, and how it gets to a model.

    Attributes:
        name: as a card has it.
        noun: what a person calls one.
        decode: from the bytes of a file or of a table's cell to what `Extractor.prepare` takes; it raises
            `RejectedError`. None where a table holds what a model reads, as it does with texts.
        decoding: `full`, or by which rule `decode` reduces what is larger than a model needs, if its second
            argument is the side that the model needs.
        blank: an item of no content, for trying a model; None where a catalogue's own items serve.
        by_length: whether items are sorted by length before they are cut into batches.
        libraries: installed distributions whose versions decide what `decode` gives.
        extra: of this package, which brings the libraries; "" where all come with it.
        endings: of the names of files that hold it, in lower case.
        format_of: the format that a file's first bytes show; None where they are of no such content.
    """

    name: str
    noun: str
    decode: Callable[..., Any] | None = None
    decoding: str = FULL
    blank: Callable[[], Any] | None = None
    by_length: bool = False
    libraries: tuple[str, ...] = ()
    extra: str = ""
    endings: tuple[str, ...] = ()
    format_of: Callable[[bytes], str | None] | None = None

    def decoder(self, side: int = 0) -> Callable[[bytes], Any]:
        """What makes of the bytes of a file what a model reads, or raises `RejectedError`.

        Args:
            side: see `Extractor.picture_side`; 0 for all that there is.
        """
        if self.decode is None:
            return bytes
        return partial(self.decode, side=side) if side and self.decoding != FULL else self.decode

    def check(self) -> None:
        """See that what decodes this kind is installed.

        Raises:
            ExtractorError: it is not; names the extra to install.
        """
        for library in self.libraries:
            if not is_installed(library):
                raise ExtractorError(
                    f"{self.noun}s are decoded by {library}, which is not installed: "
                    f"pip install 'alignrec[{self.extra}]'"
                )


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


def _blank_sound() -> Sound:
    return Sound(np.zeros(3 * 16_000, dtype=np.float32), 16_000)


IMAGE = Kind(
    vocabulary.IMAGE,
    "picture",
    decode=decode_image,
    decoding=REDUCED,
    blank=_blank_image,
    libraries=("pillow",),
    endings=(".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".bmp"),
    format_of=picture_format,
)
TEXT = Kind(vocabulary.TEXT, vocabulary.TEXT, by_length=True)
AUDIO = Kind(
    vocabulary.AUDIO,
    "sound",
    decode=decode_audio,
    blank=_blank_sound,
    libraries=("soundfile", "scipy"),
    extra=vocabulary.AUDIO,
    endings=(".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3"),
    format_of=audio_format,
)
# Its file is the picture; see `inputs.pair`.
PAIR = Kind(
    vocabulary.PAIR,
    "picture",
    decode=decode_image,
    decoding=IMAGE.decoding,
    blank=lambda: Pair(_blank_image(), "a"),
    by_length=True,
    libraries=IMAGE.libraries,
    endings=IMAGE.endings,
    format_of=picture_format,
)

KINDS = {kind.name: kind for kind in (IMAGE, TEXT, AUDIO, PAIR)}
# A modality of each kind, of the kind's name.
MODALITIES = {name: Modality(name, kind) for name, kind in KINDS.items()}


def find_modality(name: str) -> Modality:
    """The modality of a name.

    Raises:
        ExtractorError: there is none.
    """
    if name not in MODALITIES:
        raise ExtractorError(f"modality {name!r} is unknown: use one of {', '.join(MODALITIES)}")
    return MODALITIES[name]
