"""Where and how exactly a model runs: device, precision, and the guarantees around a forward pass."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from alignrec.extractors.errors import DeviceError, ExtractorError
from alignrec.extractors.precision import BFLOAT16, FLOAT32, check_precision

Module = TypeVar("Module", bound=nn.Module)

# Held by a pass on a GPU: whether there is TF32 is a setting of the process, and two passes at once would
# take the memory of two. A pass may lie within another.
_ONE_PASS = threading.RLock()


@dataclass(frozen=True)
class Runtime:
    """A device and a precision.

    With `bfloat16` the weights are converted once, so that no pass converts them again, and what comes to
    them in float32 is autocast. Vectors then agree with float32's, and across batches, to a cosine of 1e-3
    and not to 1e-5; they are float32 all the same.
    """

    device: torch.device
    precision: str = FLOAT32

    @classmethod
    def resolve(cls, device: str = "auto", precision: str = FLOAT32) -> Runtime:
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

    def place(self, model: Module, *, exact: bool = False) -> Module:
        """Freeze a model and put it on the device, its weights in the runtime's precision.

        Args:
            model: of any precision.
            exact: keep it in float32, as what is small and follows the pooling.
        """
        placed = model.to(device=self.device, dtype=torch.float32).eval().requires_grad_(False)
        if self.precision == BFLOAT16 and not exact:
            _convert(placed)
        return placed

    def tensor(self, array: NDArray[np.generic]) -> torch.Tensor:
        """An array on the device; floating-point numbers are in the runtime's precision there.

        To a GPU it goes through pinned memory, without waiting for it to arrive.
        """
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        if self.precision == BFLOAT16 and tensor.is_floating_point():
            tensor = tensor.to(torch.bfloat16)
        return tensor.pin_memory().to(self.device, non_blocking=True) if self.is_cuda else tensor

    @contextmanager
    def forward(self) -> Iterator[None]:
        """Surround a forward pass: no gradients, the precision asked for, and no TF32.

        TF32 keeps ten bits of mantissa, so with it values would change with the batch's size. On a GPU passes
        of other threads wait: what is to be beside them, such as `tensor`, stands outside.
        """
        with ExitStack() as stack:
            if self.is_cuda:
                stack.enter_context(_ONE_PASS)
            stack.enter_context(torch.inference_mode())
            if self.is_cuda and self.precision == FLOAT32:
                stack.enter_context(torch.backends.cudnn.flags(enabled=True, allow_tf32=False))
            if self.precision == BFLOAT16:
                stack.enter_context(torch.autocast(self.device.type, dtype=torch.bfloat16))
            yield


def _convert(model: nn.Module) -> None:
    """Have a model's weights, and the buffers that a checkpoint holds, in bfloat16.

    Buffers that are computed stay as they are: rotary frequencies would lose places in a long text. Where a
    model reads a sequence by convolutions, a waveform say, these stay in float32, and so does all but the
    layers that multiply by matrices: in bfloat16 some processors make cosine errors of 5e-3 there.
    """
    convolutions = [module for module in model.modules() if isinstance(module, nn.Conv1d)]
    if convolutions:
        for convolution in convolutions:
            convolution.forward = partial(_exactly, convolution)  # type: ignore[method-assign]
        for module in model.modules():
            if isinstance(module, nn.Linear):
                module.to(torch.bfloat16)
        return
    for parameter in model.parameters():
        parameter.data = parameter.data.to(torch.bfloat16)
    saved = model.state_dict().keys()
    for name, buffer in list(model.named_buffers()):
        if name in saved and buffer.is_floating_point():
            owner, _, last = name.rpartition(".")
            setattr(model.get_submodule(owner), last, buffer.to(torch.bfloat16))


def _exactly(convolution: nn.Conv1d, sequence: torch.Tensor) -> torch.Tensor:
    """A convolution in float32, whatever surrounds it."""
    with torch.autocast(sequence.device.type, enabled=False):
        found: torch.Tensor = convolution._conv_forward(
            sequence.float(), convolution.weight, convolution.bias
        )
    return found


def to_numpy(tensor: torch.Tensor) -> NDArray[np.float32]:
    """A float32 array in main memory."""
    array: NDArray[np.float32] = tensor.float().cpu().contiguous().numpy()
    return array
