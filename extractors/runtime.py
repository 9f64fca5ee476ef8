"""Where and how exactly a model runs: device, precision, and the guarantees around a forward pass."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from alignrec.extractors.errors import DeviceError, ExtractorError
from alignrec.extractors.identity import check_precision

Module = TypeVar("Module", bound=nn.Module)


@dataclass(frozen=True)
class Runtime:
    """A device and a precision.

    With `bfloat16` the weights stay float32 and the forward pass is autocast: faster on a GPU, but
    values then agree across batches to about 1e-2 only, not 1e-5.
    """

    device: torch.device
    precision: str = "float32"

    @classmethod
    def resolve(cls, device: str = "auto", precision: str = "float32") -> Runtime:
        """The runtime for a device name (`auto`, `cpu`, `cuda`, `cuda:1`) and a precision.

        Raises:
            ExtractorError: unknown precision or device.
            DeviceError: no such GPU here.
        """
        check_precision(precision)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            resolved = torch.device(device)
        except RuntimeError:
            resolved = torch.device("meta")
        if resolved.type not in ("cpu", "cuda"):
            raise ExtractorError(f"device {device!r} is not supported: use auto, cpu, cuda or cuda:N")
        if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
            raise DeviceError(
                f"device {device!r} was asked for, but PyTorch sees {torch.cuda.device_count()} GPU(s): "
                "use device auto or cpu, or install PyTorch with CUDA"
            )
        return cls(resolved, precision)

    @property
    def is_cuda(self) -> bool:
        """Whether the device is a GPU."""
        return self.device.type == "cuda"

    def place(self, model: Module) -> Module:
        """Freeze a model and put it on the device, in float32."""
        return model.to(device=self.device, dtype=torch.float32).eval().requires_grad_(False)

    def tensor(self, array: NDArray[np.generic]) -> torch.Tensor:
        """An array on the device."""
        return torch.from_numpy(np.ascontiguousarray(array)).to(self.device)

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Surround a forward pass: no gradients, the precision asked for, and no TF32.

        TF32 keeps ten bits of mantissa, so with it values would change with the batch's size.
        """
        with ExitStack() as stack:
            stack.enter_context(torch.inference_mode())
            if self.is_cuda and self.precision == "float32":
                stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
            if self.precision == "bfloat16":
                stack.enter_context(torch.autocast(self.device.type, dtype=torch.bfloat16))
            yield


def to_numpy(tensor: torch.Tensor) -> NDArray[np.float32]:
    """A float32 array in main memory."""
    array: NDArray[np.float32] = tensor.float().cpu().contiguous().numpy()
    return array
