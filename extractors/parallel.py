"""How embedding uses a machine: batches side by side, on a CPU with one thread each."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import torch

from alignrec.extractors.contract import Extractor

# While a GPU computes one batch (see `Runtime.forward`), the next is stacked and pinned; its copy waits for
# that batch, as both are on one stream.
AT_ONCE_ON_A_GPU = 2


@contextmanager
def compute_pool(extractor: Extractor) -> Iterator[tuple[Executor, int]]:
    """An executor for `embed` calls, and how many of them it runs at once.

    Small networks spend much of a many-threaded pass waiting at barriers, far more so when another
    process wants a core. One thread a batch and a batch a core is faster, and the values do not depend
    on the number of cores. A GPU computes one batch at a time, while the next is being put together.
    """
    threads = torch.get_num_threads()
    at_once = threads if extractor.device == "cpu" else AT_ONCE_ON_A_GPU
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(at_once, initializer=partial(torch.set_num_threads, 1))
    try:
        yield pool, at_once
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(threads)
