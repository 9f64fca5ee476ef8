"""From a folder to a loaded transformers model: safetensors only, nothing random, no code."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import Kind
from alignrec.extractors.model_folder import safetensors_of

# Heads that a checkpoint may lack; the pooling then does without them.
OPTIONAL = ("pooler.", ".pooler.")


@dataclass(frozen=True)
class LoadedModel:
    """A model and what its pooling depends on.

    Attributes:
        model: the torch module.
        config: its configuration.
        dual: it embeds images and texts into one space (CLIP, SigLIP, …).
        tower: it is one tower of such a model, saved alone.
        pooler: its checkpoint holds every weight of its pooler.
    """

    model: Any
    config: Any
    dual: bool
    tower: bool
    pooler: bool


def load_model(folder: Path, kind: Kind, *, main_input: str, encoder_alone: bool = False) -> LoadedModel:
    """Load a folder's model for one kind of content.

    Args:
        folder: the model's.
        kind: of content; a dual encoder has a method `get_<kind>_features`.
        main_input: what transformers calls that content as a model's input.
        encoder_alone: leave out the decoder of a model that has one.

    Raises:
        ExtractorError: files are missing or unreadable, weights are missing from the checkpoint, or
            the model reads no such content.
    """
    from transformers import AutoConfig, AutoModel, AutoModelForTextEncoding
    from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING
    from transformers.utils import logging

    safetensors_of(folder)
    bar = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        # For T5 and its like, the encoder alone.
        mapped = encoder_alone and type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING
        encoder = AutoModelForTextEncoding if mapped else AutoModel
        model, report = encoder.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            dtype="float32",
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        raise ExtractorError(f"{folder}: transformers cannot load this model: {error}") from error
    finally:
        if bar:
            logging.enable_progress_bar()
    missing = sorted(report["missing_keys"])
    lost = [key for key in missing if not key.startswith(OPTIONAL[0]) and OPTIONAL[1] not in key]
    if lost or report["mismatched_keys"]:
        raise ExtractorError(
            f"{folder}: the checkpoint lacks {len(lost)} weights that the model needs, such as "
            f"{(lost or sorted(report['mismatched_keys']))[0]}; they would be random"
        )
    dual = hasattr(model, f"get_{kind.name}_features")
    if not dual and model.main_input_name != main_input:
        raise ExtractorError(f"{folder} holds a {config.model_type} model, which does not embed {kind.name}s")
    tower = config.model_type.endswith(("_text_model", "_vision_model"))
    return LoadedModel(model, config, dual, tower, pooler=not missing)
