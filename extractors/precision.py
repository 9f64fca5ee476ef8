"""With which numbers a model computes, and whether a device has instructions for them."""

from __future__ import annotations

import sys
from pathlib import Path

from alignrec.extractors.errors import ExtractorError

FLOAT32, BFLOAT16 = PRECISIONS = ("float32", "bfloat16")

# Where Linux lists what a processor can do, and its words for products of bfloat16: x86's, and ARM's.
CPU_INFO = Path("/proc/cpuinfo")
# What the driver of a GPU leaves where Linux runs: NVIDIA's, the one of Linux inside Windows, AMD's.
DRIVERS = tuple(map(Path, ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")))
_INSTRUCTIONS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})


def check_precision(precision: str) -> None:
    """Refuse a precision that no model runs with.

    Raises:
        ExtractorError: it is unknown.
    """
    if precision not in PRECISIONS:
        raise ExtractorError(f"precision {precision!r} is unknown: use one of {', '.join(PRECISIONS)}")


def has_bfloat16(device: str) -> bool:
    """Whether a device multiplies in bfloat16 itself; where it does not, bfloat16 is slower than float32.

    Of a processor `/proc/cpuinfo` tells; where there is none, the answer is no. Of a GPU PyTorch tells, which
    is loaded only where there can be one, and a GPU that is not here is taken to be able: loading a model
    says what is wrong.

    Args:
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
    """
    if device != "cpu" and _may_have_gpu():
        import torch

        if torch.cuda.is_available():
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    if device not in ("cpu", "auto"):
        return True
    try:
        lines = CPU_INFO.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return False
    listed = (line.partition(":")[2] for line in lines if line.lower().startswith(("flags", "features")))
    return not _INSTRUCTIONS.isdisjoint(next(listed, "").split())


def _may_have_gpu() -> bool:
    """Whether a driver is here, or this is no Linux, which would show it."""
    return sys.platform != "linux" or any(driver.exists() for driver in DRIVERS)
