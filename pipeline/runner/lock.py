"""One process at a time in a run folder."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alignrec.pipeline.errors import RunFolderError


@contextmanager
def locked(run_folder: Path) -> Iterator[None]:
    """Hold the run folder for this process.

    Raises:
        RunFolderError: another process works in it, or it cannot be written.
    """
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        lock = (run_folder / ".lock").open("w")
    except OSError as error:
        raise RunFolderError(f"the run folder {run_folder} cannot be written: {error.strerror}.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RunFolderError(
                f"another process works in {run_folder}. Wait for it, or give this run a folder of its own: "
                "-o out=DIR."
            ) from None
        yield
