"""What a person can do about an error of the operating system, by its number."""

from __future__ import annotations

import errno
import os

_ADVICE = {
    (errno.ENOSPC, errno.EDQUOT): "Make room on that disk (space, or inodes: df -i), or write elsewhere",
    (errno.EACCES, errno.EPERM): "Give this user the right to it, or choose another place",
    (errno.EROFS,): "That disk is read-only: choose another place",
    (errno.EFBIG,): "Files there may not be so large: raise the limit (ulimit -f), or choose another disk",
    (errno.EIO,): "The disk or the network behind it failed: see the system's log",
    (errno.EMFILE, errno.ENFILE): "Allow more open files (ulimit -n)",
    (errno.ENOMEM,): "Free some memory",
    (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY): "Move away what has that name",
    (errno.ENAMETOOLONG,): "Choose a shorter path",
    (errno.ENOENT,): "It may have been removed meanwhile",
    (errno.ELOOP,): "A symbolic link there leads to itself: remove it",
}
NETWORK = 4
USAGE = 2


def describe(error: OSError) -> tuple[str, int]:
    """What happened, where and what to do next; and what to exit with.

    Returns:
        One line, and 4 where a connection failed, else 2.
    """
    if isinstance(error, ConnectionError | TimeoutError):
        return f"{error}. Check the network, then give the same command again.", NETWORK
    what = os.strerror(error.errno) if error.errno else str(error)
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    advice = next((f"{words}. " for numbers, words in _ADVICE.items() if error.errno in numbers), "")
    return (
        f"{where}{what}. {advice}What is finished is kept, and the same command goes on from there.",
        USAGE,
    )
