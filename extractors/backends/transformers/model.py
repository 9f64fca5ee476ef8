"""From a folder to a loaded transformers model: safetensors only, nothing random, no code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from alignrec.core.display import shortened
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.modality import Kind
from alignrec.extractors.model_folder import safetensors_of

# A pooler that a checkpoint may lack; the pooling then does without it.
OPTIONAL = ("pooler.", ".pooler.")
# What a checkpoint may hold although the model has no place for it: each stands behind what is read here.
HEADS = (
    # words that were masked or come next, and what was pretrained beside them
    *("cls.", "lm_head.", "head.", "predictions.", "sop_classifier.", "lm_predictions.", "mask_predictions."),
    *("discriminator_predictions.", "generator_predictions.", "generator_lm_head.", "final_logits_bias"),
    *("vocab_transform.", "vocab_layer_norm.", "vocab_projector."),
    # classes, grades and answers that it was fine-tuned for, and the pooler of a model that has none itself
    *(
        "classifier.",
        "pre_classifier.",
        "cls_classifier.",
        "distillation_classifier.",
        "score.",
        "qa_outputs.",
    ),
    *("logits_proj.", "sequence_summary.", "pooler.", "projector.", "layer_weights"),
    # what sounds were told apart by in pretraining
    *("quantizer.", "project_q.", "project_hid."),
    # pixels or words from an encoder's states
    "decoder.",
)
# Buffers that are computed, and the stand-ins for patches and sounds that are masked in pretraining alone.
BUFFERS = ("position_ids", "inv_freq", "relative_position_index", "mask_token", "masked_spec_embed")


@dataclass(frozen=True)
class LoadedModel:
    """A model and what its pooling depends on.

    Attributes:
        model: the torch module.
        config: its configuration.
        dual: it embeds two kinds of content into one space (CLIP, SigLIP, CLAP, …).
        tower: it is one tower of such a model, saved alone.
        projected: it is such a tower with its projection into the common space.
        pooler: its checkpoint holds every weight of its pooler.
    """

    model: Any
    config: Any
    dual: bool
    tower: bool
    projected: bool
    pooler: bool


def load_model(
    folder: Path, kind: Kind, *, main_input: Sequence[str], encoder_alone: bool = False
) -> LoadedModel:
    """Load a folder's model for one kind of content.

    Args:
        folder: the model's.
        kind: of content; a dual encoder has a method `get_<kind>_features`.
        main_input: what transformers may call that content as a model's input.
        encoder_alone: leave out the decoder of a model that has one.

    Raises:
        ExtractorError: files are missing or unreadable, weights are missing from the checkpoint or have no
            place in the model, or the model reads no such content.
    """
    import transformers
    from transformers import AutoConfig, AutoModel, AutoModelForTextEncoding
    from transformers.models.auto.modeling_auto import MODEL_FOR_TEXT_ENCODING_MAPPING, MODEL_MAPPING
    from transformers.utils import logging

    safetensors_of(folder)
    bar = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        # For T5 and its like, the encoder alone.
        mapped = encoder_alone and type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING
        # Towers that were saved with their projections, and CLAP's, are none of the automatic classes'.
        named = (config.architectures or [""])[0]
        projected = named.endswith("WithProjection") and hasattr(transformers, named)
        alone = type(config) not in MODEL_MAPPING and named.endswith("Model") and hasattr(transformers, named)
        encoder = AutoModelForTextEncoding if mapped else AutoModel
        if projected or alone:
            encoder = getattr(transformers, named)
        model, report = encoder.from_pretrained(
            folder,
            config=config,
            local_files_only=True,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            dtype="float32",
        )
    except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
        raise ExtractorError(
            f"{folder}: transformers cannot load this model: {shortened(str(error))}"
        ) from error
    finally:
        if bar:
            logging.enable_progress_bar()
    missing = sorted(report["missing_keys"])
    lost = [
        key
        for key in missing
        if not key.startswith(OPTIONAL[0]) and OPTIONAL[1] not in key and not key.endswith(BUFFERS)
    ]
    if lost or report["mismatched_keys"]:
        raise ExtractorError(
            f"{folder}: the checkpoint lacks {len(lost)} weights that the model needs, such as "
            f"{(lost or sorted(report['mismatched_keys']))[0]}; they would be random"
        )
    unused = sorted(
        key for key in report["unexpected_keys"] if not key.startswith(HEADS) and not key.endswith(BUFFERS)
    )
    if unused:
        raise ExtractorError(
            f"{folder}: the checkpoint holds {len(unused)} weights that have no place in transformers' "
            f"{type(model).__name__}, such as {unused[0]}; without them, vectors would not be those of the "
            "model that was saved: choose another model, or correct the architectures in its config.json"
        )
    dual = hasattr(model, f"get_{kind.name}_features")
    if not dual and model.main_input_name not in main_input:
        raise ExtractorError(f"{folder} holds a {config.model_type} model, which does not embed {kind.noun}s")
    tower = config.model_type.endswith(("_text_model", "_vision_model"))
    return LoadedModel(model, config, dual, tower, projected, pooler=not missing)
