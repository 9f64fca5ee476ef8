"""Checkpoints as they are published, and strangers' that only claim to be some."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from alignrec.extractors.backends.beit3.checkpoint import load_checkpoint, save_checkpoint
from alignrec.extractors.backends.beit3.model import Sizes
from alignrec.extractors.errors import ExtractorError
from tests.extractors.backends.beit3.checkpoints import TINY, random_model

ALL_HEADS = replace(TINY, words=True, codes=10)
Weights = dict[str, Tensor]


@pytest.mark.parametrize(
    "sizes",
    [
        replace(TINY, retrieval=False),
        TINY,
        replace(TINY, retrieval=False, words=True),
        replace(TINY, retrieval=False, words=True, codes=10),
        ALL_HEADS,
        replace(TINY, width=128, heads=2, hidden=16, patch=4, image=12, layers=1),
    ],
)
@pytest.mark.parametrize("wrapper", ["model", "module", None])
def test_published_files_load(tmp_path: Path, sizes: Sizes, wrapper: str | None) -> None:
    model, path = random_model(sizes), tmp_path / "one.pth"
    weights = model.state_dict()
    torch.save({wrapper: weights, "epoch": 3} if wrapper else weights, path)
    loaded = load_checkpoint(path)
    assert loaded.beit3.sizes == sizes
    assert loaded.state_dict().keys() == weights.keys()
    assert all(torch.equal(found, weights[name]) for name, found in loaded.state_dict().items())
    assert all(weight.requires_grad for weight in loaded.parameters())


def test_safetensors_and_half_precision(tmp_path: Path) -> None:
    model, path = random_model(ALL_HEADS), tmp_path / "one.safetensors"
    save_checkpoint(model, path)
    assert all(
        torch.equal(found, model.state_dict()[name])
        for name, found in load_checkpoint(path).state_dict().items()
    )
    save_file({name: weight.half() for name, weight in model.state_dict().items()}, path)
    loaded = load_checkpoint(path)
    assert {weight.dtype for weight in loaded.parameters()} == {torch.float32}
    word = loaded.beit3.text_embed.weight
    assert torch.equal(word, model.beit3.text_embed.weight.half().float())


def test_the_old_format_of_torch(tmp_path: Path) -> None:
    model, path = random_model(), tmp_path / "one.pth"
    torch.save({"model": model.state_dict()}, path, _use_new_zipfile_serialization=False)
    assert torch.equal(load_checkpoint(path).logit_scale, model.logit_scale)


def without(name: str) -> Callable[[Weights], object]:
    return lambda weights: weights.pop(name)


def another(name: str, weight: Tensor) -> Callable[[Weights], object]:
    return lambda weights: weights.update({name: weight})


LAYER = "beit3.encoder.layers.1.self_attn.q_proj.B.weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without(LAYER), f"the weight {LAYER} is missing"),
        (without("beit3.text_embed.weight"), "the weight beit3.text_embed.weight is missing"),
        (without("language_head.weight"), "the weight language_head.weight is missing"),
        (without("mlm_head.bias"), "the weight mlm_head.bias is missing"),
        (without("mim_head.weight"), "the weight mim_head.weight is missing"),
        (another("head.weight", torch.zeros(2, 64)), "the weight 'head.weight' is unknown"),
        (
            another("beit3.encoder.layers.2.ffn.A.fc1.weight", torch.zeros(96, 64)),
            "the weight beit3.encoder.layers.2.self_attn.q_proj.A.weight is missing",
        ),
        (
            another("beit3.encoder.layers.999999999.ffn.A.fc1.weight", torch.zeros(96, 64)),
            "the weight beit3.encoder.layers.2.self_attn.q_proj.A.weight is missing",
        ),
        (
            another(LAYER, torch.zeros(64, 63)),
            f"the weight {LAYER} is float32 [64, 63], expected [64, 64]",
        ),
        (
            another(LAYER, torch.full((64, 64), torch.nan)),
            f"the weight {LAYER} has a value that is no finite",
        ),
        (
            another(LAYER, torch.zeros(64, 64, dtype=torch.int64)),
            f"the weight '{LAYER}' is int64 [64, 64], expected floating-point values",
        ),
        (
            another("beit3.encoder.embed_positions.A.weight", torch.zeros(21, 64)),
            "its positions are of 18 patches, which make no square",
        ),
        (
            another("beit3.encoder.embed_positions.B.weight", torch.zeros(3, 64)),
            "its positions have no room for a text: 3 rows",
        ),
        (
            another("beit3.text_embed.weight", torch.zeros(64, 60)),
            "its width is 60, expected a multiple of 64",
        ),
        (
            another("beit3.text_embed.weight", torch.zeros(1, 1).expand(10**12, 64)),
            "its weights claim 256,0",
        ),
    ],
)
def test_weights_that_are_not_those(tmp_path: Path, change: Callable[[Weights], object], reason: str) -> None:
    weights = dict(random_model(ALL_HEADS).state_dict())
    change(weights)
    torch.save({"model": weights}, tmp_path / "one.pth")
    with pytest.raises(ExtractorError) as caught:
        load_checkpoint(tmp_path / "one.pth")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'one.pth'} is no BEiT-3 checkpoint that can be read: {reason}")
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({}, "it holds no weights by name"),
        ([torch.zeros(3)], "it holds no weights by name"),
        ({"model": {"epoch": 3}}, "'epoch' is int, expected a weight under its name"),
        ({3: torch.zeros(3)}, "3 is Tensor, expected a weight under its name"),
        ({"model": {}, "args": argparse.Namespace(lr=1)}, "it holds more than weights"),
    ],
)
def test_other_contents(tmp_path: Path, content: object, reason: str) -> None:
    torch.save(content, tmp_path / "one.pth")
    with pytest.raises(ExtractorError) as caught:
        load_checkpoint(tmp_path / "one.pth")
    assert reason in str(caught.value)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("name", ["one.pth", "one.safetensors"])
@pytest.mark.parametrize("content", [b"", b"\x80\x04.", b"PK\x03\x04 no more", b"\xff" * 64, None])
def test_files_of_other_kinds(tmp_path: Path, name: str, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ExtractorError, match="is no BEiT-3 checkpoint that can be read"):
        load_checkpoint(tmp_path / name)
