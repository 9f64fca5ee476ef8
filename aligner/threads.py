"""How training uses a CPU: on one thread where more would wait longer than they work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def one_thread(small: bool) -> Iterator[None]:
    """Keep PyTorch to a single thread while the block runs, if its steps are `small`.

    A step of a millisecond is over before a second thread has been woken, and where another process wants the
    core, the first one waits for it at every operation.
    """
    threads = torch.get_num_threads()
    if small:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
