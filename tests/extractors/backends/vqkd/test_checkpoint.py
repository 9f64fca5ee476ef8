"""Published tokenizers, and files that only claim to be some."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from alignrec.extractors.backends.vqkd.checkpoint import load_tokenizer
from alignrec.extractors.errors import ExtractorError
from tests.extractors.backends.vqkd.tokenizers import CODE_WIDTH, CODES, GRID, PATCH, SIDE, WIDTH, published

Weights = dict[str, Tensor]


@pytest.mark.parametrize("wrapper", ["model", "state_dict", None])
def test_a_published_file_loads_without_what_only_trains_it(tmp_path: Path, wrapper: str | None) -> None:
    weights, path = published(), tmp_path / "one.pth"
    weights["teacher_model.visual.proj"] = torch.zeros(2)
    weights["scaling_layer.shift"] = torch.zeros(2)
    torch.save({wrapper: weights, "epoch": 3} if wrapper else weights, path)
    model = load_tokenizer(path)
    sizes = model.sizes
    assert (sizes.width, sizes.layers, sizes.heads, sizes.hidden) == (WIDTH, 2, 1, 96)
    assert (sizes.patch, sizes.image, sizes.grid) == (PATCH, SIDE, GRID)
    assert (sizes.codes, sizes.code_width) == (CODES, CODE_WIDTH)
    assert all(torch.equal(weight, weights[name]) for name, weight in model.state_dict().items())
    assert torch.equal(model.codebook, weights["quantize.embedding.weight"])


def test_safetensors(tmp_path: Path) -> None:
    save_file(published(), tmp_path / "one.safetensors")
    assert torch.equal(
        load_tokenizer(tmp_path / "one.safetensors").codebook, published()["quantize.embedding.weight"]
    )


def without(name: str) -> Callable[[Weights], object]:
    return lambda weights: weights.pop(name)


def another(name: str, weight: Tensor) -> Callable[[Weights], object]:
    return lambda weights: weights.update({name: weight})


QKV = "encoder.blocks.1.attn.qkv.weight"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (without(QKV), f"the weight {QKV} is missing"),
        (without("quantize.embedding.weight"), "the weight quantize.embedding.weight is missing"),
        (without("encode_task_layer.2.bias"), "the weight encode_task_layer.2.bias is missing"),
        (without("encoder.fc_norm.bias"), "the weight encoder.fc_norm.bias is missing"),
        (another("encoder.head.weight", torch.zeros(2)), "the weight 'encoder.head.weight' is unknown"),
        (
            another("encoder.blocks.0.gamma_1", torch.ones(64)),
            "the weight 'encoder.blocks.0.gamma_1' is unknown",
        ),
        (another(QKV, torch.zeros(192, 63)), f"the weight {QKV} is float32 [192, 63], expected [192, 64]"),
        (another(QKV, torch.full((192, 64), torch.nan)), f"the weight {QKV} has a value that is no finite"),
        (
            another("encoder.pos_embed", torch.zeros(1, 19, 64)),
            "its positions are of 18 patches, which make no square",
        ),
        (another("encoder.cls_token", torch.zeros(1, 1, 60)), "its width is 60, expected a multiple of 64"),
    ],
)
def test_weights_that_are_not_those(tmp_path: Path, change: Callable[[Weights], object], reason: str) -> None:
    weights = published()
    change(weights)
    torch.save({"model": weights}, tmp_path / "one.pth")
    with pytest.raises(ExtractorError) as caught:
        load_tokenizer(tmp_path / "one.pth")
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'one.pth'} is no BEiT v2 tokenizer that can be read: {reason}")
    assert message.endswith("/beit2/TOKENIZER.md publishes")


def test_nothing_in_a_file_is_run(tmp_path: Path) -> None:
    torch.save({"model": published(), "how": print}, tmp_path / "one.pth")
    with pytest.raises(ExtractorError, match="it holds more than weights"):
        load_tokenizer(tmp_path / "one.pth")
