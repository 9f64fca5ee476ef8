"""Whether torchrun started this process among several, and the way to the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from alignrec.aligner.processes import ALONE, Processes


def are_several() -> bool:
    """Whether torchrun, or what sets the same variables, started this process among several."""
    return int(os.environ.get("WORLD_SIZE") or 1) > 1


@contextmanager
def joined() -> Iterator[Processes]:
    """This process and the others that were started with it; the first one sends them home at the end.

    Raises:
        ProcessesError: another one ended, or was not to be reached.
    """
    if not are_several():
        yield ALONE
        return
    from alignrec.aligner.process_group import grouped  # loads torch

    with grouped() as group:
        yield group
