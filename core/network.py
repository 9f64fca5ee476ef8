"""Work that asks nobody: what is not on this machine is not fetched while it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alignrec.core.errors import AlignRecError

_keeps_here = False


class NotHereError(AlignRecError):
    """Something lies elsewhere, and was not or could not be fetched (exit code 4)."""

    exit_code = 4


@contextmanager
def offline() -> Iterator[None]:
    """While the block runs, the Hub's client and whatever else asks keep to this machine."""
    global _keeps_here
    from huggingface_hub import constants  # here, since most that imports this never asks

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    kept, _keeps_here = _keeps_here, True
    try:
        yield
    finally:
        _keeps_here = kept
        constants.HF_HUB_OFFLINE = before


def keeps_here() -> bool:
    """Whether nothing may be fetched from anywhere: inside `offline`."""
    return _keeps_here


def is_offline() -> bool:
    """Whether nothing may be fetched from the Hub: inside `offline`, or with HF_HUB_OFFLINE=1."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)
