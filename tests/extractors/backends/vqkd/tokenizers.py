"""Tiny tokenizers of random weights, in the form of the published files."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

WIDTH, LAYERS, PATCH, GRID, CODES, CODE_WIDTH = 64, 2, 8, 4, 40, 6
SIDE = PATCH * GRID


def published(codes: int = CODES, width: int = WIDTH, seed: int = 0) -> dict[str, Tensor]:
    """Every weight of a published file by its name, its decoder and its bookkeeping among them."""
    shapes = {
        "encoder.cls_token": (1, 1, width),
        "encoder.pos_embed": (1, 1 + GRID**2, width),
        "encoder.patch_embed.proj.weight": (width, 3, PATCH, PATCH),
        "encoder.patch_embed.proj.bias": (width,),
        "encoder.fc_norm.weight": (width,),
        "encoder.fc_norm.bias": (width,),
        "encode_task_layer.0.weight": (width, width),
        "encode_task_layer.0.bias": (width,),
        "encode_task_layer.2.weight": (CODE_WIDTH, width),
        "encode_task_layer.2.bias": (CODE_WIDTH,),
        "quantize.cluster_size": (codes,),
        "quantize.embedding.weight": (codes, CODE_WIDTH),
        "quantize.embedding.cluster_size": (codes,),
        "quantize.embedding.embed_avg": (codes, CODE_WIDTH),
        "quantize.embedding.initted": (1,),
        "decoder.cls_token": (1, 1, width),
        "decoder.blocks.0.attn.qkv.weight": (3 * width, width),
        "decode_task_layer.2.bias": (512,),
    }
    for layer in range(LAYERS):
        start = f"encoder.blocks.{layer}."
        shapes |= {f"{start}norm{n}.{part}": (width,) for n in (1, 2) for part in ("weight", "bias")}
        shapes |= {f"{start}attn.{name}_bias": (width,) for name in "qv"}
        shapes |= {f"{start}attn.qkv.weight": (3 * width, width), f"{start}attn.proj.bias": (width,)}
        shapes |= {f"{start}attn.proj.weight": (width, width), f"{start}mlp.fc1.bias": (96,)}
        shapes |= {f"{start}mlp.fc1.weight": (96, width), f"{start}mlp.fc2.weight": (width, 96)}
        shapes |= {f"{start}mlp.fc2.bias": (width,)}
    generator = torch.Generator().manual_seed(seed)
    found = {name: 0.2 * torch.randn(shape, generator=generator) for name, shape in shapes.items()}
    codebook = found["quantize.embedding.weight"]
    found["quantize.embedding.weight"] = codebook / codebook.norm(dim=1, keepdim=True)
    return found


def save_tokenizer(folder: Path, **sizes: int) -> Path:
    """A file as published, `.pth` with everything under `model`."""
    path = folder / "vqkd_tiny.pth"
    torch.save({"model": published(**sizes)}, path)
    return path
