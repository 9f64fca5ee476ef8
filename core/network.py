"""Work that asks nobody: what is not on this machine is not fetched while it lasts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from alignrec.core.errors import AlignRecError


class NotHereError(AlignRecError):
    """Something lies elsewhere, and was not or could not be fetched (exit code 4)."""

    exit_code = 4


@contextmanager
def offline() -> Iterator[None]:
    """While the block runs, the Hub's client and whatever else asks `is_offline` keep to this machine."""
    from huggingface_hub import constants  # here, since most that imports this never asks

    before = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = before


def is_offline() -> bool:
    """Whether nothing may be fetched: inside `offline`, or with HF_HUB_OFFLINE=1."""
    from huggingface_hub import constants

    return bool(constants.HF_HUB_OFFLINE)
