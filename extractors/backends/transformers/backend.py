"""`transformers:ID_OR_PATH`, from a name to an identity or a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from alignrec.extractors.contract import Backend, Extractor
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.identity import ExtractorIdentity, FileHash, files_sha256, weights_sha256
from alignrec.extractors.modality import AUDIO, IMAGE, TEXT, Modality
from alignrec.extractors.model_folder import licence_of, model_folder, other_files, weights_of
from alignrec.extractors.names import ModelName

if TYPE_CHECKING:
    from alignrec.extractors.runtime import Runtime

# Distributions that decide bytes, by the kind of content.
LIBRARIES = {
    IMAGE.name: ("torch", "torchvision", "transformers"),
    TEXT.name: ("torch", "transformers", "tokenizers"),
    AUDIO.name: ("torch", "transformers", "numpy"),
}


def identify(name: ModelName, modality: Modality, sha256: FileHash) -> ExtractorIdentity:
    """The identity of a folder or a Hub snapshot; see `Backend.identify`."""
    folder, revision = model_folder(name)
    return ExtractorIdentity.of_name(
        name,
        modality,
        weights_sha256=weights_sha256(folder, weights_of(folder), sha256),
        files_sha256=files_sha256(folder, other_files(folder), sha256),
        revision=revision,
        local=revision is None,
        libraries=LIBRARIES.get(modality.kind.name, ()),
    )


def load(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load one side of a model from a folder or the Hub.

    Raises:
        ExtractorError: see `model_folder` and `load_model`.
        DownloadError: see `model_folder`.
    """
    if modality.kind.name not in _SIDES:
        raise ExtractorError(f"{name.full}: expected one of {', '.join(_SIDES)}, got {modality.kind.name}")
    folder, revision = model_folder(name)
    try:
        return _SIDES[modality.kind.name](name.full, folder, revision, licence_of(folder), runtime)
    except (AttributeError, TypeError, IndexError) as error:
        # Loading ends with a first embedding: generative and other models fail here.
        raise ExtractorError(
            f"{name.full}: this model gives no embedding of {modality.kind.name} as encoders do ({error}); "
            "choose a vision, text or audio encoder, or a dual encoder such as CLIP, SigLIP or CLAP"
        ) from error


# Each imports its side when called: they load torch.
def _load_image(
    name: str, folder: Path, revision: str | None, licence: str | None, runtime: Runtime
) -> Extractor:
    from alignrec.extractors.backends.transformers.image import TransformersImage

    return TransformersImage(name, folder, revision, licence, runtime)


def _load_text(
    name: str, folder: Path, revision: str | None, licence: str | None, runtime: Runtime
) -> Extractor:
    from alignrec.extractors.backends.transformers.text import TransformersText

    return TransformersText(name, folder, revision, licence, runtime)


def _load_audio(
    name: str, folder: Path, revision: str | None, licence: str | None, runtime: Runtime
) -> Extractor:
    from alignrec.extractors.backends.transformers.audio import TransformersAudio

    return TransformersAudio(name, folder, revision, licence, runtime)


_SIDES: dict[str, Callable[[str, Path, str | None, str | None, Runtime], Extractor]] = {
    IMAGE.name: _load_image,
    TEXT.name: _load_text,
    AUDIO.name: _load_audio,
}

BACKEND = Backend("transformers", identify, load)
