"""Where tensors live: the device that a setting names."""

from __future__ import annotations

import torch

from alignrec.aligner.errors import AlignerError


def device_of(name: str) -> torch.device:
    """`auto` is a GPU if there is one.

    Raises:
        AlignerError: the name is none of a device, or CUDA is asked for and absent.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise AlignerError(f"device must be auto, cpu, cuda or cuda:N, got {name!r}") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise AlignerError(f"device is {name!r}, but PyTorch sees no GPU here: use auto or cpu")
    return device
