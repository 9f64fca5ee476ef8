"""`vqkd:PATH`, from a name to an identity or a model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alignrec.extractors.contract import Backend, Extractor
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import ExtractorIdentity, FileHash
from alignrec.extractors.modality import IMAGE, Modality
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime


def identify(name: ModelName, modality: Modality, sha256: FileHash) -> ExtractorIdentity:
    """The identity of a tokenizer's file; see `Backend.identify`."""
    weights = sha256(_file(name, modality))
    return ExtractorIdentity.of_name(name, modality, weights_sha256=weights, local=True, libraries=("torch",))


def load(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load `vqkd:PATH`; see `extractor.VQKDExtractor`.

    Raises:
        ExtractorError: there is no such file, it cannot be read, or another kind of content is asked for.
    """
    path = _file(name, modality)
    from alignrec.extractors.backends.vqkd.extractor import VQKDExtractor  # loads torch

    return VQKDExtractor(name.full, path, runtime)


def _file(name: ModelName, modality: Modality) -> Path:
    if modality.kind is not IMAGE:
        raise ExtractorError(f"{name.full}: expected {IMAGE.name}, got {modality.kind.name}")
    if name.revision is not None:
        raise ExtractorError(f"{name.full}: files have no revision '{name.revision}'")
    path = Path(name.model).expanduser()
    if not path.is_file():
        raise ExtractorError(f"{name.full}: there is no file {path}")
    return path


BACKEND = Backend("vqkd", identify, load, paths="all")
