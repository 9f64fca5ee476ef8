"""Layers behind a pooling: worked out by hand, and what their files may state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from alignrec.extractors.backends.transformers.layers import ACTIVATIONS, read_layers
from alignrec.extractors.errors import ExtractorError
from tests.extractors import models

DENSE = {"in_features": 2, "out_features": 2, "bias": True}
WEIGHTS = {"linear.weight": torch.tensor([[1.0, 2], [0, -1]]), "linear.bias": torch.tensor([0.5, 0])}
VECTORS = torch.tensor([[3.0, 4], [0, 0]])


def layer(
    folder: Path, kind: str, config: dict[str, Any] | None, weights: dict[str, torch.Tensor] | None = None
) -> nn.Module:
    """The one layer behind a tiny model's pooling."""
    models.sentence_bert(folder, "pooling_mode_mean_tokens", kind)
    place = folder / f"2_{kind}"
    place.mkdir()
    if config is not None:
        (place / "config.json").write_text(json.dumps(config))
    if weights is not None:
        save_file(weights, place / "model.safetensors")
    (found,) = read_layers(folder, 2)
    return found


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({"activation_function": "torch.nn.modules.linear.Identity"}, [[11.5, -4], [0.5, 0]]),
        ({"activation_function": "torch.nn.modules.activation.ReLU"}, [[11.5, 0], [0.5, 0]]),
        ({}, [[1, -0.9993292997390673], [0.46211715726000973, 0]]),
        (
            {"activation_function": "torch.nn.modules.activation.ReLU", "use_residual": True},
            [[14.5, 4], [0.5, 0]],
        ),
    ],
)
def test_a_dense_layer(tmp_path: Path, config: dict[str, Any], expected: list[list[float]]) -> None:
    """Without a name the activation is tanh, as the library has it."""
    found = layer(tmp_path, "Dense", {**DENSE, **config}, WEIGHTS)
    torch.testing.assert_close(found(VECTORS), torch.tensor(expected))


def test_a_residual_of_another_width_is_projected(tmp_path: Path) -> None:
    weights = {"linear.weight": torch.tensor([[1.0, 0]]), "residual.weight": torch.tensor([[0.0, 2]])}
    identity = "torch.nn.modules.linear.Identity"
    config = {"in_features": 2, "out_features": 1, "bias": False, "activation_function": identity}
    found = layer(tmp_path, "Dense", {**config, "use_residual": True}, weights)
    assert found(VECTORS).tolist() == [[11], [0]]


def test_lengths_and_norms(tmp_path: Path) -> None:
    torch.testing.assert_close(
        layer(tmp_path / "a", "Normalize", None)(VECTORS), torch.tensor([[0.6, 0.8], [0, 0]])
    )
    weights = {"norm.weight": torch.tensor([2.0, 1]), "norm.bias": torch.tensor([0.0, 1])}
    found = layer(tmp_path / "b", "LayerNorm", {"dimension": 2}, weights)
    torch.testing.assert_close(found(VECTORS), torch.tensor([[-2.0, 2], [0, 1]]), rtol=0, atol=1e-4)
    assert layer(tmp_path / "c", "Dropout", {"dropout": 0.9})(VECTORS) is VECTORS


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_every_activation_is_that_of_its_name(tmp_path: Path, name: str) -> None:
    found = layer(tmp_path, "Dense", {**DENSE, "activation_function": name}, WEIGHTS)
    (activation,) = (part for part in found.children() if not isinstance(part, nn.Linear))
    assert f"{type(activation).__module__}.{type(activation).__name__}" == name


@pytest.mark.parametrize(
    ("kind", "config", "wrong"),
    [
        ("Dense", {**DENSE, "activation_function": "os.getcwd"}, "activation_function: os.getcwd; supported"),
        ("Dense", {**DENSE, "activation_function": "own.Swish"}, "activation_function: own.Swish; supported"),
        ("Dense", {**DENSE, "module_input_name": "token_embeddings"}, "module_input_name: "),
        ("Dense", {**DENSE, "module_output_name": "scores"}, "module_output_name: "),
        ("Dense", {**DENSE, "scale": 1}, "scale: 1"),
        ("Dense", {"in_features": 2}, "out_features: None; expected"),
        ("Dense", {**DENSE, "in_features": "2"}, 'in_features: "2"'),
        ("LayerNorm", {"dimension": 2, "eps": 1}, "eps: 1"),
        ("LayerNorm", {"dimension": 0}, "dimension: 0; expected"),
        ("Normalize", {"module_input_name": "token_embeddings"}, "module_input_name: "),
        ("Dropout", {"dropout": 0.1, "seed": 1}, "seed: 1"),
    ],
)
def test_what_is_not_supported_is_named(
    tmp_path: Path, kind: str, config: dict[str, Any], wrong: str
) -> None:
    with pytest.raises(ExtractorError, match=rf"2_{kind}/config\.json states {wrong}"):
        layer(tmp_path, kind, config, WEIGHTS)


@pytest.mark.parametrize(
    "weights",
    [
        {"linear.weight": WEIGHTS["linear.weight"]},
        {**WEIGHTS, "other": torch.zeros(1)},
        {**WEIGHTS, "linear.bias": torch.zeros(3)},
    ],
    ids=["missing", "unexpected", "another shape"],
)
def test_weights_are_all_and_no_others(tmp_path: Path, weights: dict[str, torch.Tensor]) -> None:
    with pytest.raises(ExtractorError, match="does not hold the weights that its config"):
        layer(tmp_path, "Dense", DENSE, weights)


def test_widths_fit_one_another(tmp_path: Path) -> None:
    with pytest.raises(
        ExtractorError, match=r"2_Dense/config\.json states a layer of 3 values, but vectors of 2"
    ):
        layer(
            tmp_path,
            "Dense",
            {**DENSE, "in_features": 3, "bias": False},
            {"linear.weight": torch.zeros(2, 3)},
        )


def test_code_in_weights_does_not_run(tmp_path: Path) -> None:
    models.sentence_bert(tmp_path, "pooling_mode_mean_tokens", "Dense")
    place = tmp_path / "2_Dense"
    place.mkdir()
    (place / "config.json").write_text(json.dumps(DENSE))
    torch.save({"linear.weight": Path("x")}, place / "pytorch_model.bin")
    with pytest.raises(ExtractorError, match=r"pytorch_model\.bin does not hold the weights"):
        read_layers(tmp_path, 2)
