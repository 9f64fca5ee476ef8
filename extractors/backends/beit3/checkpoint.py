"""A published checkpoint: its header is compared with the encoder that it states before anything is built."""

from __future__ import annotations

import math
import pickle
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from alignrec.core.display import printable_line, shown
from alignrec.core.files import open_regular
from alignrec.extractors.backends.beit3.model import FIRST_POSITION, PublishedBEiT3, Sizes
from alignrec.extractors.errors import ExtractorError

WRAPPERS = ("model", "module")
HEAD_WIDTH = 64  # of attention in every published size; nothing in a checkpoint states it
_KINDS = (torch.float32, torch.float16, torch.bfloat16)
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
    weights = _read(path)
    sizes = sizes_of(weights, path)
    with torch.device("meta"):
        model = PublishedBEiT3(sizes)
    expected = {name: weight.shape for name, weight in model.state_dict().items()}
    for name, shape in expected.items():
        if name not in weights:
            raise _error(path, f"the weight {name} is missing")
        if weights[name].shape != shape:
            raise _error(path, f"the weight {name} is {_form(weights[name])}, expected {list(shape)}")
    for name in sorted(weights.keys() - expected.keys()):
        raise _error(path, f"the weight {shown(name)} is unknown")
    for name in expected:  # one after the other, so that no more than one is here twice
        weight = weights.pop(name).to(dtype=torch.float32, copy=True)
        if not weight.isfinite().all():
            raise _error(path, f"the weight {name} has a value that is no finite number")
        module, _, own = name.rpartition(".")
        setattr(model.get_submodule(module), own, torch.nn.Parameter(weight))
    return model


def save_checkpoint(model: PublishedBEiT3, path: Path) -> None:
    """Write the weights as safetensors, under their published names; `load_checkpoint` reads them."""
    from safetensors.torch import save_file

    save_file({name: weight.detach().contiguous() for name, weight in model.state_dict().items()}, path)


def sizes_of(weights: Mapping[str, Tensor], path: Path) -> Sizes:
    """The sizes that a checkpoint's weights have.

    Raises:
        ExtractorError: the weights that decide them are missing, or have shapes that no encoder has.
    """

    def shape(name: str, dimensions: int) -> torch.Size:
        if name not in weights:
            raise _error(path, f"the weight {name} is missing")
        if weights[name].ndim != dimensions or 0 in weights[name].shape:
            raise _error(
                path, f"the weight {name} is {_form(weights[name])}, expected {dimensions} dimensions"
            )
        return weights[name].shape

    vocabulary, width = shape("beit3.text_embed.weight", 2)
    patch = shape("beit3.vision_embed.proj.weight", 4)[3]
    pictures = shape("beit3.encoder.embed_positions.A.weight", 2)[0] - FIRST_POSITION - 1
    positions = shape("beit3.encoder.embed_positions.B.weight", 2)[0]
    side = math.isqrt(max(pictures, 0))
    if side < 1 or side**2 != pictures:
        raise _error(path, f"its positions are of {pictures} patches, which make no square")
    if positions <= FIRST_POSITION + 2:
        raise _error(path, f"its positions have no room for a text: {positions} rows")
    if width % HEAD_WIDTH:
        raise _error(path, f"its width is {width}, expected a multiple of {HEAD_WIDTH}, the width of a head")
    return Sizes(
        width=width,
        layers=len({match[1] for name in weights if (match := _LAYER.match(name))}),
        hidden=shape("beit3.encoder.layers.0.ffn.A.fc1.weight", 2)[0],
        heads=width // HEAD_WIDTH,
        patch=patch,
        image=side * patch,
        vocabulary=vocabulary,
        positions=positions,
        retrieval=any(name in weights for name in _RETRIEVAL),
        words=any(name.startswith(_WORDS) for name in weights),
        codes=shape(f"{_CODES}weight", 2)[0] if any(name.startswith(_CODES) for name in weights) else 0,
    )


def _read(path: Path) -> dict[str, Tensor]:
    """Every weight by its name, mapped into memory and not yet read."""
    try:
        with open_regular(path):
            pass
        if path.suffix == ".safetensors":
            with safe_open(path, framework="pt") as file:
                found: Any = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no mapping)
        else:
            mapped = zipfile.is_zipfile(path)
            found = torch.load(path, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError as error:
        raise _error(
            path,
            f"it holds more than weights ({_line(error)}): save what it has under 'model' alone, where it is "
            "trusted",
        ) from None
    except Exception as error:  # whatever either parser runs into, in bytes of any kind
        raise _error(path, _line(error)) from None
    for wrapper in WRAPPERS:
        if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
            found = found[wrapper]
            break
    if not isinstance(found, dict) or not found:
        raise _error(path, "it holds no weights by name")
    for name, weight in found.items():
        if not isinstance(name, str) or not isinstance(weight, Tensor):
            raise _error(path, f"{shown(name)} is {type(weight).__name__}, expected a weight under its name")
        if weight.dtype not in _KINDS or weight.layout != torch.strided:
            raise _error(path, f"the weight {shown(name)} is {_form(weight)}, expected floating-point values")
    # A tensor may claim to repeat a few bytes without end.
    size = sum(weight.nbytes for weight in found.values())
    if size > path.stat().st_size:
        raise _error(path, f"its weights claim {size:,} bytes, and it has {path.stat().st_size:,}")
    return dict(found)


def _form(weight: Tensor) -> str:
    return f"{str(weight.dtype).removeprefix('torch.')} {list(weight.shape)}"


def _line(error: Exception) -> str:
    return printable_line(str(error).strip().split("\n")[0])[:200] or type(error).__name__


def _error(path: Path, reason: str) -> ExtractorError:
    return ExtractorError(
        f"{path} is no BEiT-3 checkpoint that can be read: {reason}; expected one of those that "
        "https://github.com/microsoft/unilm/tree/master/beit3 publishes"
    )
