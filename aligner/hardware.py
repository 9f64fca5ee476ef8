"""How training uses a machine: the device that a setting names, and the threads of a CPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from alignrec.aligner.errors import AlignerError

_SMALL = 10_000_000  # multiplications in a step's largest product, below which one thread is best


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


@contextmanager
def one_thread_if_small(work: float) -> Iterator[None]:
    """Keep PyTorch to a single thread while the block runs, if a step is little work.

    A step of a millisecond is over before a second thread has been woken, and where another process wants the
    core, the first one waits for it at every operation.

    Args:
        work: multiplications in the largest product of a step; infinite where more threads always help.
    """
    threads = torch.get_num_threads()
    if work < _SMALL:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
