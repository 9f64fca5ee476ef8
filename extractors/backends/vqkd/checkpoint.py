"""A published tokenizer of BEiT v2 from its file."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from alignrec.extractors.backends.vqkd.model import VQKD, TokenizerSizes
from alignrec.extractors.published_weights import PublishedWeights

TITLE, SOURCE = "BEiT v2 tokenizer", "https://github.com/microsoft/unilm/blob/master/beit2/TOKENIZER.md"
WRAPPERS = ("model", "state_dict")
# What trains a tokenizer: the decoder, what that is taught by, and how often each code was used.
TRAINING = (
    "decoder.",
    "decode_task_layer.",
    "teacher_model.",
    "scaling_layer.",
    "loss",
    "quantize.cluster_size",
    "quantize.embedding.cluster_size",
    "quantize.embedding.embed_avg",
    "quantize.embedding.initted",
)
_LAYER = re.compile(r"encoder\.blocks\.(\d+)\.")


def load_tokenizer(path: Path) -> VQKD:
    """The encoder and the codebook of a tokenizer, in float32.

    Args:
        path: `.safetensors`, or what `torch.save` wrote, of which nothing is run: the weights by name as
            https://github.com/microsoft/unilm/blob/master/beit2/TOKENIZER.md publishes them, perhaps in a
            dictionary under `model` or `state_dict`. What only trains a tokenizer is passed over by name.

    Raises:
        ExtractorError: it cannot be read so, a weight is unknown, missing or of another shape, or a value is
            not finite.
    """
    file = PublishedWeights(path, TITLE, SOURCE, WRAPPERS, TRAINING)
    weights = file.read()
    width = file.shape(weights, "encoder.cls_token", 3)[2]
    patch = file.shape(weights, "encoder.patch_embed.proj.weight", 4)[3]
    patches = file.shape(weights, "encoder.pos_embed", 3)[1] - 1
    codes, code_width = file.shape(weights, "quantize.embedding.weight", 2)
    side, heads = file.side(patches), file.heads(width)
    sizes = TokenizerSizes(
        width=width,
        layers=len({match[1] for name in weights if (match := _LAYER.match(name))}),
        hidden=file.shape(weights, "encoder.blocks.0.mlp.fc1.weight", 2)[0],
        heads=heads,
        patch=patch,
        image=side * patch,
        codes=codes,
        code_width=code_width,
    )
    with torch.device("meta"):
        model = VQKD(sizes)
    file.fill(model, weights)
    return model
