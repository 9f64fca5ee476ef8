"""`beit3:…`, from a name to an identity or a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignrec.core.files import digest
from alignrec.extractors.backends.beit3.files import BEiT3Files, find_files
from alignrec.extractors.contract import Backend, Extractor
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import ExtractorIdentity, FileHash
from alignrec.extractors.modality import IMAGE, PAIR, TEXT, Modality
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime

# Distributions that decide bytes, by the kind of content.
_TEXTS = ("torch", "sentencepiece")
LIBRARIES = {IMAGE.name: ("torch",), TEXT.name: _TEXTS, PAIR.name: _TEXTS}


def identify(name: ModelName, modality: Modality, sha256: FileHash) -> ExtractorIdentity:
    """The identity of a checkpoint, its word pieces and its pooling; see `Backend.identify`."""
    files = _files(name, modality)
    pieces = None if modality.kind is IMAGE else sha256(files.word_pieces())
    return ExtractorIdentity.of_name(
        name,
        modality,
        weights_sha256=sha256(files.weights),
        files_sha256=digest({"pooling": files.pooling, "word_pieces": pieces}),
        local=True,
        libraries=LIBRARIES[modality.kind.name],
    )


def load(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load `beit3:PATH`; see `extractor.BEiT3Extractor`.

    Raises:
        ExtractorError: see there and `files.find_files`; or another kind of content.
    """
    files = _files(name, modality)
    from alignrec.extractors.backends.beit3.extractor import BEiT3Extractor  # loads torch

    return BEiT3Extractor(files, modality.kind, runtime)


def _files(name: ModelName, modality: Modality) -> BEiT3Files:
    if modality.kind.name not in LIBRARIES:
        raise ExtractorError(f"{name.full}: expected one of {', '.join(LIBRARIES)}, got {modality.kind.name}")
    return find_files(name)


BACKEND = Backend("beit3", identify, load, paths="all")
