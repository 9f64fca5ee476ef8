"""`transformers:ID_OR_PATH`: vision models, text models, and dual encoders."""

from __future__ import annotations

from alignrec.extractors.backends.model_folder import licence_of, model_folder
from alignrec.extractors.contract import Extractor, Modality
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.names import ModelName
from alignrec.extractors.runtime import Runtime


def load_transformers(name: ModelName, modality: Modality, runtime: Runtime) -> Extractor:
    """Load a model's image or text side from a folder or the Hub.

    Raises:
        ExtractorError: see `model_folder` and `load_model`.
        DownloadError: see `model_folder`.
    """
    folder, revision = model_folder(name)
    try:
        if modality == "image":
            from alignrec.extractors.backends.transformers.image import TransformersImage

            return TransformersImage(name.full, folder, revision, licence_of(folder), runtime)
        from alignrec.extractors.backends.transformers.text import TransformersText

        return TransformersText(name.full, folder, revision, licence_of(folder), runtime)
    except (AttributeError, TypeError, IndexError) as error:
        # Loading ends with a first embedding: generative and other models fail here.
        raise ExtractorError(
            f"{name.full}: this model gives no embedding of {modality} as encoders do ({error}); "
            "choose a vision model, a text encoder, or a dual encoder such as CLIP or SigLIP"
        ) from error
