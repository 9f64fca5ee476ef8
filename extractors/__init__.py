"""Frozen pretrained models that turn item images, texts and sounds into embeddings."""

from typing import TYPE_CHECKING

from alignrec.core.packages import public

if TYPE_CHECKING:
    from alignrec.extractors.contract import Backend as Backend
    from alignrec.extractors.contract import Embeddings as Embeddings
    from alignrec.extractors.contract import Extractor as Extractor
    from alignrec.extractors.contract import ExtractorCard as ExtractorCard
    from alignrec.extractors.identity import ExtractorIdentity as ExtractorIdentity
    from alignrec.extractors.registry import identify_extractor as identify_extractor
    from alignrec.extractors.registry import load_extractor as load_extractor

_NAMES = {
    "Backend": "alignrec.extractors.contract",
    "Embeddings": "alignrec.extractors.contract",
    "Extractor": "alignrec.extractors.contract",
    "ExtractorCard": "alignrec.extractors.contract",
    "ExtractorIdentity": "alignrec.extractors.identity",
    "identify_extractor": "alignrec.extractors.registry",
    "load_extractor": "alignrec.extractors.registry",
}

__getattr__, __dir__, __all__ = public(__name__, __path__, _NAMES)
