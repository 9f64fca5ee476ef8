"""Writes golden.safetensors: what torchscale 0.3.0's BEiT3 gives for random weights and inputs.

Not part of the tests, which compare with the file. torchscale pins an old torch, so it and what it imports
are installed beside the current one, without their dependencies, into a folder of their own:

    pip install --no-deps --target FOLDER torchscale==0.3.0 fairscale==0.4.13 timm einops
    PYTHONPATH=FOLDER python tests/extractors/backends/beit3/make_golden.py
"""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import save_file
from torchscale.architecture.config import EncoderConfig
from torchscale.model.BEiT3 import BEiT3

WIDTH, HEADS, HIDDEN, SIDE, PATCH, VOCABULARY, POSITIONS = 16, 2, 24, 12, 4, 11, 10
GOLDEN = Path(__file__).with_name("golden.safetensors")


def build(layers: int) -> BEiT3:
    config = EncoderConfig(
        img_size=SIDE,
        patch_size=PATCH,
        vocab_size=VOCABULARY,
        multiway=True,
        layernorm_embedding=False,
        normalize_output=True,
        no_output_layer=True,
        encoder_embed_dim=WIDTH,
        encoder_attention_heads=HEADS,
        encoder_ffn_embed_dim=HIDDEN,
        encoder_layers=layers,
        max_source_positions=POSITIONS,
    )
    model = BEiT3(config).eval()
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape) * 0.5 + (1.0 if weight.ndim == 1 else 0.0))
    return model


def main() -> None:
    torch.manual_seed(20221)
    pixels = torch.randn(3, 3, SIDE, SIDE)
    ids = torch.randint(0, VOCABULARY, (3, 7))
    mask = torch.arange(7)[None, :] < torch.tensor([7, 4, 1])[:, None]
    masked = torch.rand(3, (SIDE // PATCH) ** 2) < 0.4
    tensors = {"pixels": pixels, "ids": ids, "mask": mask, "masked": masked}
    for layers in (1, 3):
        model = build(layers)
        tensors |= {f"{layers}.weights.{name}": weight for name, weight in model.state_dict().items()}
        with torch.no_grad():
            states = {
                "image": model(visual_tokens=pixels),
                "text": model(textual_tokens=ids, text_padding_position=~mask),
                "both": model(ids, pixels, text_padding_position=~mask),
                "masked": model(ids, pixels, text_padding_position=~mask, vision_masked_position=masked),
            }
        tensors |= {f"{layers}.{name}": found["encoder_out"] for name, found in states.items()}
    save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, GOLDEN)


if __name__ == "__main__":
    main()
