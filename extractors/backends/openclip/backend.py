"""`open_clip:…`, from a name to an identity or a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alignrec.extractors.backends.openclip.files import find_files
from alignrec.extractors.contract import Backend, Extractor
from alignrec.extractors.identity import ExtractorIdentity, FileHash, files_sha256
from alignrec.extractors.modality import IMAGE, TEXT, Modality
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime

# Distributions that decide bytes, by the kind of content.
LIBRARIES = {
    IMAGE.name: ("torch", "torchvision", "open_clip_torch"),
    TEXT.name: ("torch", "open_clip_torch", "transformers", "tokenizers"),
}


def identify(name: ModelName, modality: Modality, sha256: FileHash) -> ExtractorIdentity:
    """The identity of a folder or of published weights; see `Backend.identify`."""
    found = find_files(name)
    return ExtractorIdentity.of_name(
        name,
        modality,
        weights_sha256=sha256(found.weights),
        files_sha256=files_sha256(found.folder, found.others, sha256),
        revision=found.revision,
        local=not found.architecture,
        libraries=LIBRARIES.get(modality.kind.name, ()),
    )


def load(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load one side of an open_clip model; see `model.load_open_clip`."""
    from alignrec.extractors.backends.openclip.model import load_open_clip  # loads torch

    return load_open_clip(name, modality, runtime)


BACKEND = Backend("open_clip", identify, load)
