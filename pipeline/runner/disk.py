"""Room on the disk, looked at before a long stage begins."""

from __future__ import annotations

import shutil
from pathlib import Path

from alignrec.pipeline.errors import RunFolderError


def check_disk(folder: Path, needed: int) -> None:
    """Refuse to begin what the disk cannot hold.

    Raises:
        RunFolderError: fewer than `needed` bytes are free.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise RunFolderError(
            f"{folder} has {free / 2**30:.1f} GiB free and this stage needs about {needed / 2**30:.1f} GiB. "
            "Make room, or put the run elsewhere: -o out=DIR."
        )
