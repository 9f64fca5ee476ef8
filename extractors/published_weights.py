"""A file of weights as authors publish it: nothing in it is run, all is compared by name and shape."""

from __future__ import annotations

import math
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor, nn

from alignrec.core.display import printable_line, shown
from alignrec.core.files import open_regular
from alignrec.extractors.errors import ExtractorError

HEAD_WIDTH = 64  # of attention in every file published so far; nothing in one states it
_KINDS = (torch.float32, torch.float16, torch.bfloat16)


@dataclass(frozen=True)
class PublishedWeights:
    """A file of a family whose authors publish weights under names of their own.

    Attributes:
        path: `.safetensors`, or what `torch.save` wrote.
        title: what the file ought to be, for messages.
        source: where its authors publish such files.
        wrappers: names under which the weights may lie in a dictionary.
        ignored: how the names of weights begin that are not read.
    """

    path: Path
    title: str
    source: str
    wrappers: tuple[str, ...]
    ignored: tuple[str, ...] = ()

    def read(self) -> dict[str, Tensor]:
        """Every weight that is not ignored by its name, mapped into memory and not yet read.

        Raises:
            ExtractorError: the file cannot be read so, or holds more than weights.
        """
        path = self.path
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
            raise self.error(
                f"it holds more than weights ({_line(error)}): save what it has under '{self.wrappers[0]}' "
                "alone, where it is trusted"
            ) from None
        except Exception as error:  # whatever either parser runs into, in bytes of any kind
            raise self.error(_line(error)) from None
        return self._weights(found)

    def fill(self, model: nn.Module, weights: dict[str, Tensor]) -> None:
        """Give a model on the device `meta` these weights, in float32; `weights` is emptied.

        Raises:
            ExtractorError: a weight is unknown, missing or of another shape, or a value is not finite.
        """
        expected = {name: weight.shape for name, weight in model.state_dict().items()}
        for name, shape in expected.items():
            if name not in weights:
                raise self.error(f"the weight {name} is missing")
            if weights[name].shape != shape:
                raise self.error(f"the weight {name} is {_form(weights[name])}, expected {list(shape)}")
        for name in sorted(weights.keys() - expected.keys()):
            raise self.error(f"the weight {shown(name)} is unknown")
        for name in expected:  # one after the other, so that no more than one is here twice
            weight = weights.pop(name).to(dtype=torch.float32, copy=True)
            if not weight.isfinite().all():
                raise self.error(f"the weight {name} has a value that is no finite number")
            module, _, own = name.rpartition(".")
            setattr(model.get_submodule(module), own, nn.Parameter(weight))

    def shape(self, weights: Mapping[str, Tensor], name: str, dimensions: int) -> torch.Size:
        """The shape of a weight that decides a size.

        Raises:
            ExtractorError: it is missing, empty, or of another number of dimensions.
        """
        if name not in weights:
            raise self.error(f"the weight {name} is missing")
        if weights[name].ndim != dimensions or 0 in weights[name].shape:
            raise self.error(f"the weight {name} is {_form(weights[name])}, expected {dimensions} dimensions")
        return weights[name].shape

    def side(self, patches: int) -> int:
        """Patches along a side of the square picture that has so many.

        Raises:
            ExtractorError: they make no square.
        """
        side = math.isqrt(max(patches, 0))
        if side < 1 or side**2 != patches:
            raise self.error(f"its positions are of {patches} patches, which make no square")
        return side

    def heads(self, width: int) -> int:
        """Heads of attention of a model so wide.

        Raises:
            ExtractorError: no whole number of them.
        """
        if width % HEAD_WIDTH:
            raise self.error(
                f"its width is {width}, expected a multiple of {HEAD_WIDTH}, the width of a head"
            )
        return width // HEAD_WIDTH

    def error(self, reason: str) -> ExtractorError:
        """That this is no such file, and why."""
        return ExtractorError(
            f"{self.path} is no {self.title} that can be read: {reason}; expected one of those that "
            f"{self.source} publishes"
        )

    def _weights(self, found: Any) -> dict[str, Tensor]:
        for wrapper in self.wrappers:
            if isinstance(found, dict) and isinstance(found.get(wrapper), dict):
                found = found[wrapper]
                break
        if not isinstance(found, dict) or not found:
            raise self.error("it holds no weights by name")
        kept: dict[str, Tensor] = {}
        for name, weight in found.items():
            if isinstance(name, str) and name.startswith(self.ignored):
                continue
            if not isinstance(name, str) or not isinstance(weight, Tensor):
                raise self.error(
                    f"{shown(name)} is {type(weight).__name__}, expected a weight under its name"
                )
            if weight.dtype not in _KINDS or weight.layout != torch.strided:
                raise self.error(
                    f"the weight {shown(name)} is {_form(weight)}, expected floating-point values"
                )
            kept[name] = weight
        # A tensor may claim to repeat a few bytes without end.
        size = sum(weight.nbytes for weight in kept.values())
        if size > self.path.stat().st_size:
            raise self.error(f"its weights claim {size:,} bytes, and it has {self.path.stat().st_size:,}")
        return kept


def _form(weight: Tensor) -> str:
    return f"{str(weight.dtype).removeprefix('torch.')} {list(weight.shape)}"


def _line(error: Exception) -> str:
    return printable_line(str(error).strip().split("\n")[0])[:200] or type(error).__name__
