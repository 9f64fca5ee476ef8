"""One process at a time in a run folder."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alignrec.core.files import sweep
from alignrec.pipeline.errors import RunFolderError


@contextmanager
def locked(run_folder: Path) -> Iterator[None]:
    """Hold the run folder for this process, and remove what killed ones left in it.

    The lock is on the folder itself: a file in it could be deleted under a run, and another one locked.

    Raises:
        RunFolderError: another process works in it, or it cannot be written.
    """
    try:
        run_folder.mkdir(parents=True, exist_ok=True)
        if not os.access(run_folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        descriptor = _hold(run_folder)
    except BlockingIOError:
        raise RunFolderError(
            f"another process works in {run_folder}. Wait for it, or give this run a folder of its own: "
            "-o out=DIR."
        ) from None
    except OSError as error:
        raise RunFolderError(f"the run folder {run_folder} cannot be written: {error.strerror}.") from None
    try:
        sweep(run_folder)
        yield
    finally:
        os.close(descriptor)


def _hold(folder: Path) -> int:
    """The descriptor that holds the lock until it is closed."""
    try:
        return _lock(folder, os.O_RDONLY)
    except OSError as error:
        if error.errno != errno.EBADF:
            raise
    # Network file systems lock only what is open for writing, which no folder can be.
    return _lock(folder / ".lock", os.O_CREAT | os.O_WRONLY)


def _lock(path: Path, flags: int) -> int:
    descriptor = os.open(path, flags, 0o666)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
