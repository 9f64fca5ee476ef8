"""What follows the pooling in a sentence-transformers model: layers on one vector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import nn

from alignrec.extractors.backends.transformers.sentence import VECTOR, Settings
from alignrec.extractors.errors import ExtractorError
from alignrec.extractors.sentence_folder import SentenceModule, sentence_modules

# Of torch.nn, by the name of the class; without arguments, as the library makes them.
ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    f"torch.nn.modules.{file}.{kind.__name__}": kind
    for file, kinds in {
        "linear": (nn.Identity,),
        "activation": (
            *(nn.Tanh, nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.ELU, nn.SELU, nn.CELU, nn.GELU, nn.SiLU, nn.Mish),
            *(nn.Sigmoid, nn.LogSigmoid, nn.Hardswish, nn.Hardsigmoid, nn.Hardtanh, nn.Softplus, nn.Softsign),
        ),
    }.items()
    for kind in kinds
}


def read_layers(folder: Path, width: int) -> nn.Sequential:
    """The layers that a folder's `modules.json` lists behind its pooling, with their weights.

    Each maps float32 `[b, d]` to `[b, d']`.

    Args:
        folder: the model's.
        width: of a pooled vector.

    Raises:
        ExtractorError: a config states what is not supported or does not fit what comes before it, or weights
            are missing or others.
    """
    layers = []
    for module in sentence_modules(folder)[2:]:
        layer = _KINDS[module.kind](module)
        expected = getattr(layer, "width", width)
        if expected != width:
            raise ExtractorError(
                f"{module.folder / 'config.json'} states a layer of {expected} values, but vectors of "
                f"{width} come to it: fetch the model again"
            )
        width = getattr(layer, "out", width)
        layers.append(layer)
    return nn.Sequential(*layers)


class Dense(nn.Module):
    """A linear layer, an activation, and perhaps the input added to it; weights are named as in the files."""

    def __init__(
        self, width: int, out: int, *, bias: bool, activation: Callable[[], nn.Module], residual: bool
    ) -> None:
        """Make the layer; where the input is added and the widths differ, it is projected first."""
        super().__init__()
        self.width, self.out = width, out
        self.linear = nn.Linear(width, out, bias=bias)
        self.activation = activation()
        self.residual: nn.Module | None = None
        if residual:
            self.residual = nn.Identity() if width == out else nn.Linear(width, out, bias=False)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """`[b, out]` from `[b, width]`."""
        result: torch.Tensor = self.activation(self.linear(vectors))
        return result if self.residual is None else result + self.residual(vectors)


class LayerNorm(nn.Module):
    """Layer normalisation; weights are named as in the files."""

    def __init__(self, width: int) -> None:
        """Make the layer."""
        super().__init__()
        self.width = width
        self.norm = nn.LayerNorm(width)

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """`[b, width]` from `[b, width]`."""
        result: torch.Tensor = self.norm(vectors)
        return result


class Normalize(nn.Module):
    """Vectors of length one; a vector of zeros stays as it is."""

    def forward(self, vectors: torch.Tensor) -> torch.Tensor:
        """`[b, d]` from `[b, d]`."""
        return nn.functional.normalize(vectors, dim=-1)


def _dense(module: SentenceModule) -> nn.Module:
    settings = Settings(module.folder / "config.json")
    width, out = (_width(settings, key) for key in ("in_features", "out_features"))
    name = settings.take("activation_function", str, "torch.nn.modules.activation.Tanh")
    if name not in ACTIVATIONS:
        raise ExtractorError(
            f"{settings.path} states activation_function: {name}; supported are {', '.join(ACTIVATIONS)}: "
            "choose another model"
        )
    layer = Dense(
        width,
        out,
        bias=settings.take("bias", bool, True),
        activation=ACTIVATIONS[name],
        residual=settings.take("use_residual", bool, False),
    )
    _of_vectors(settings)
    return _with_weights(layer, module)


def _layer_norm(module: SentenceModule) -> nn.Module:
    settings = Settings(module.folder / "config.json")
    layer = LayerNorm(_width(settings, "dimension"))
    settings.end()
    return _with_weights(layer, module)


def _normalize(module: SentenceModule) -> nn.Module:
    _of_vectors(Settings(module.folder / "config.json"))
    return Normalize()


def _dropout(module: SentenceModule) -> nn.Module:
    """Nothing: it drops values in training alone."""
    settings = Settings(module.folder / "config.json")
    settings.ignore("dropout")
    settings.end()
    return nn.Identity()


def _width(settings: Settings, key: str) -> int:
    width = settings.take(key, int)
    if width is None or width < 1:
        raise ExtractorError(f"{settings.path} states {key}: {width}; expected a number of values, from 1 on")
    return int(width)


def _of_vectors(settings: Settings) -> None:
    """A layer reads and writes pooled vectors, and there is no other setting."""
    settings.expect("module_input_name", VECTOR)
    settings.expect("module_output_name", VECTOR)
    settings.end()


def _with_weights(layer: nn.Module, module: SentenceModule) -> nn.Module:
    """Load a layer's own weights, all of them and no others."""
    path = module.weights()
    try:
        if path.suffix == ".safetensors":
            weights = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
        layer.load_state_dict({key: tensor.float() for key, tensor in weights.items()})
    except Exception as error:  # pickle and torch raise what they like of a damaged file
        raise ExtractorError(
            f"{path} does not hold the weights that its config.json states: {error}"
        ) from error
    return layer


_KINDS: dict[str, Callable[[SentenceModule], nn.Module]] = {
    "Dense": _dense,
    "Dropout": _dropout,
    "LayerNorm": _layer_norm,
    "Normalize": _normalize,
}
