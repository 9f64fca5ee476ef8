"""A published checkpoint: its header is compared with the encoder that it states before anything is built."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from alignrec.extractors.backends.beit3.model import FIRST_POSITION, PublishedBEiT3, Sizes
from alignrec.extractors.published_weights import PublishedWeights

TITLE, SOURCE = "BEiT-3 checkpoint", "https://github.com/microsoft/unilm/tree/master/beit3"
WRAPPERS = ("model", "module")
_LAYER = re.compile(r"beit3\.encoder\.layers\.(\d+)\.")
_RETRIEVAL = ("vision_head.weight", "language_head.weight", "logit_scale")
_WORDS, _CODES = "mlm_head.", "mim_head."


def load_checkpoint(path: Path) -> PublishedBEiT3:
    """The encoder and the heads of a checkpoint, in float32.

    Args:
        path: `.safetensors`, or what `torch.save` wrote, of which nothing is run: the weights by name as
            https://github.com/microsoft/unilm/tree/master/beit3 publishes them, perhaps in a dictionary under
            `model` or `module`.

    Raises:
        ExtractorError: it cannot be read so, a weight is unknown, missing or of another shape, or a value is
            not finite.
    """
    file = PublishedWeights(path, TITLE, SOURCE, WRAPPERS)
    weights = file.read()
    sizes = sizes_of(weights, file)
    with torch.device("meta"):
        model = PublishedBEiT3(sizes)
    file.fill(model, weights)
    return model


def save_checkpoint(model: PublishedBEiT3, path: Path) -> None:
    """Write the weights as safetensors, under their published names; `load_checkpoint` reads them."""
    from safetensors.torch import save_file

    save_file({name: weight.detach().contiguous() for name, weight in model.state_dict().items()}, path)


def sizes_of(weights: Mapping[str, Tensor], file: PublishedWeights) -> Sizes:
    """The sizes that a checkpoint's weights have.

    Raises:
        ExtractorError: the weights that decide them are missing, or have shapes that no encoder has.
    """
    vocabulary, width = file.shape(weights, "beit3.text_embed.weight", 2)
    patch = file.shape(weights, "beit3.vision_embed.proj.weight", 4)[3]
    pictures = file.shape(weights, "beit3.encoder.embed_positions.A.weight", 2)[0] - FIRST_POSITION - 1
    positions = file.shape(weights, "beit3.encoder.embed_positions.B.weight", 2)[0]
    side = file.side(pictures)
    if positions <= FIRST_POSITION + 2:
        raise file.error(f"its positions have no room for a text: {positions} rows")
    heads = file.heads(width)
    codes = any(name.startswith(_CODES) for name in weights)
    return Sizes(
        width=width,
        layers=len({match[1] for name in weights if (match := _LAYER.match(name))}),
        hidden=file.shape(weights, "beit3.encoder.layers.0.ffn.A.fc1.weight", 2)[0],
        heads=heads,
        patch=patch,
        image=side * patch,
        vocabulary=vocabulary,
        positions=positions,
        retrieval=any(name in weights for name in _RETRIEVAL),
        words=any(name.startswith(_WORDS) for name in weights),
        codes=file.shape(weights, f"{_CODES}weight", 2)[0] if codes else 0,
    )
