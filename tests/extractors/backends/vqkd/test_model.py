"""BEiT v2's tokenizer beside its description, computed token by token in double precision."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import erf

from alignrec.extractors.backends.vqkd.checkpoint import load_tokenizer
from alignrec.extractors.backends.vqkd.model import VQKD
from tests.extractors.backends.vqkd.tokenizers import (
    GRID,
    LAYERS,
    PATCH,
    SIDE,
    WIDTH,
    published,
    save_tokenizer,
)

Doubles = NDArray[np.float64]


def norm(tokens: Doubles, weight: Doubles, bias: Doubles) -> Doubles:
    centred = tokens - tokens.mean(axis=-1, keepdims=True)
    return centred / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + 1e-6) * weight + bias


def expected(pixels: Doubles) -> tuple[Doubles, Doubles]:
    """States and code vectors of one picture `[3, side, side]`; one head, as the width of one is 64."""
    w = {name: weight.double().numpy() for name, weight in published().items()}
    kernel, bias = w["encoder.patch_embed.proj.weight"], w["encoder.patch_embed.proj.bias"]
    corners = [(PATCH * row, PATCH * column) for row in range(GRID) for column in range(GRID)]
    patches = [
        (kernel * pixels[None, :, top : top + PATCH, left : left + PATCH]).sum(axis=(1, 2, 3)) + bias
        for top, left in corners
    ]
    tokens = np.concatenate([w["encoder.cls_token"][0], np.stack(patches)]) + w["encoder.pos_embed"][0]
    for layer in range(LAYERS):
        b = {n.removeprefix(f"encoder.blocks.{layer}."): v for n, v in w.items()}
        normed = norm(tokens, b["norm1.weight"], b["norm1.bias"])
        query, key, value = np.split(normed @ b["attn.qkv.weight"].T, 3, axis=1)
        scores = (query + b["attn.q_bias"]) @ key.T / np.sqrt(WIDTH)
        shares = np.exp(scores - scores.max(axis=1, keepdims=True))
        mixed = shares / shares.sum(axis=1, keepdims=True) @ (value + b["attn.v_bias"])
        tokens = tokens + mixed @ b["attn.proj.weight"].T + b["attn.proj.bias"]
        inner = norm(tokens, b["norm2.weight"], b["norm2.bias"]) @ b["mlp.fc1.weight"].T + b["mlp.fc1.bias"]
        inner = inner * (1 + erf(inner / np.sqrt(2))) / 2
        tokens = tokens + inner @ b["mlp.fc2.weight"].T + b["mlp.fc2.bias"]
    states = norm(tokens[1:], w["encoder.fc_norm.weight"], w["encoder.fc_norm.bias"])
    hidden = np.tanh(states @ w["encode_task_layer.0.weight"].T + w["encode_task_layer.0.bias"])
    found = hidden @ w["encode_task_layer.2.weight"].T + w["encode_task_layer.2.bias"]
    return states, found / np.linalg.norm(found, axis=1, keepdims=True)


@torch.no_grad()
def test_states_and_code_vectors_are_those_of_its_description(tmp_path: Path) -> None:
    model: VQKD = load_tokenizer(save_tokenizer(tmp_path))
    pixels = np.random.default_rng(0).uniform(-1, 1, (2, 3, SIDE, SIDE))
    states, found = (part.numpy() for part in model(torch.from_numpy(pixels).float()))
    for picture in (0, 1):
        theirs = expected(pixels[picture])
        np.testing.assert_allclose(states[picture], theirs[0], atol=1e-4)
        np.testing.assert_allclose(found[picture], theirs[1], atol=1e-4)
    assert np.abs(found[0] - found[1]).max() > 0.05
