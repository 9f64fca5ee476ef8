"""Files that are there whole or not at all, written under a temporary name and then renamed; and hashes.

A temporary name says which process it belongs to, `.NAME.MACHINE-PROCESS-RANDOM.KIND`, so that what a killed
process left can be told from what a living one is writing. Everything gets the permissions of the umask,
whatever wrote it: some writers make files that only their owner can read.
"""

from __future__ import annotations

import errno
import glob
import hashlib
import json
import os
import platform
import re
import secrets
import shutil
import stat
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from io import BufferedReader
from pathlib import Path
from typing import Any, Literal

from alignrec.core.errors import AlignRecError

# tmp: a file being written; new: a folder being filled or removed; old: a folder set aside for a new one.
_TEMPORARY = re.compile(
    r"\.(?P<name>.+)\.(?P<machine>[0-9a-f]{8})-(?P<process>\d+)-[0-9a-f]{8}\.(?P<kind>tmp|new|old)"
)
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)  # a folder of the name is there
_SYSTEM_ERROR = re.compile(r"\(os error (\d+)\)")
# Temporary names that this process uses now; another process may have had its number before.
_in_use: set[str] = set()


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name when the block ends well.

    The data reaches the disk before the rename, so neither a killed process nor a power cut leaves
    half a file under the final name. A block that raises leaves `path` as it was.

    Raises:
        OSError: with the errno and `path`, whatever the writer in the block made of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _temporary_name(path, "tmp") as temporary, _naming(path, temporary):
        try:
            # The system applies the umask here; a writer may put another file in this one's place.
            descriptor = os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666)
            mode = stat.S_IMODE(os.fstat(descriptor).st_mode)
            os.close(descriptor)
            yield temporary
            with temporary.open("rb+") as written:
                os.fsync(written.fileno())
            temporary.chmod(mode)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, data: bytes) -> None:
    """Write `data` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def temporary_folder(path: Path) -> Iterator[Path]:
    """An empty folder of the name of `path` inside a hidden one beside it, which goes when the block ends.

    What killed processes left of this name is removed first, and what they had set aside is put back.
    """
    path = path.absolute()
    path.parent.mkdir(parents=True, exist_ok=True)
    _clear(_abandoned(path.parent.glob(f".{glob.escape(path.name)}.*"), path.name))
    with _temporary_name(path, "new") as hidden:
        try:
            folder = hidden / path.name
            folder.mkdir(parents=True)
            yield folder
        finally:
            shutil.rmtree(hidden, ignore_errors=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """A temporary folder, of the same name, that takes the place of `path` when the block ends well.

    The old folder steps aside under a hidden name before the new one takes its place, and is put
    back by the next call, or by `sweep`, if the process dies between the two renames.
    """
    path = path.absolute()
    with temporary_folder(path) as new, _temporary_name(path, "old") as aside, _naming(path, new):
        yield new
        apply_umask(new)
        replaced = False
        try:
            _take_place(new, path, aside)
            replaced = True
        finally:
            # Whether the name is free says nothing: another process may be about to take it.
            if aside.exists() and (replaced or not _put_back(aside, path)):
                # Removed under a name that is never put back: a kill may leave half of it.
                aside.rename(new.with_name(f"{path.name}.old"))


def _take_place(new: Path, path: Path, aside: Path) -> None:
    """Give a folder its name; where another process does the same, the last one stays."""
    while True:
        with suppress(FileNotFoundError):
            path.rename(aside)
        try:
            new.rename(path)
            return
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
        shutil.rmtree(aside, ignore_errors=True)


def _put_back(aside: Path, path: Path) -> bool:
    """Give an old folder its name again; False where another process has written one of that name."""
    try:
        aside.rename(path)
    except OSError as error:
        if error.errno not in _TAKEN:
            raise
        return False
    return True


def apply_umask(folder: Path) -> None:
    """Give everything below a folder the permissions that the umask gave the folder itself.

    A file that has a second name elsewhere keeps its own: it is not this folder's alone.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    for parent, folders, files in os.walk(folder):
        for name in folders:
            _set_mode(Path(parent, name), mode)
        for name in files:
            _set_mode(Path(parent, name), mode & 0o666)


def sweep(folder: Path) -> None:
    """Remove what killed processes left anywhere below a folder, and put back what they had set aside.

    What a living process of this machine uses stays, and so does all that another machine (or container)
    wrote, of whose processes nothing is known here.
    """
    for parent, folders, files in os.walk(folder):
        abandoned = _abandoned(Path(parent, name) for name in (*folders, *files))
        _clear(abandoned)
        gone = {path.name for path in abandoned}
        folders[:] = [name for name in folders if name not in gone]


def canonical_json(value: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no spaces, UTF-8."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    ).encode()


def open_regular(path: Path, most: int | None = None) -> BufferedReader:
    """Open a file that others name, for reading; a pipe, socket or device is refused and never waited for.

    Args:
        path: whatever was written there, even what no path can be.
        most: bytes that it may have.

    Raises:
        OSError: it cannot be opened, is no regular file (EISDIR, EINVAL), or is larger (EFBIG).
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except ValueError:  # a NUL, half a surrogate pair
        raise OSError(errno.ENOENT, "no file can have this name", ascii(str(path))) from None
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode) and (most is None or found.st_size <= most):
        return os.fdopen(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "it is a pipe, a socket or a device, no file", str(path))
    raise OSError(errno.EFBIG, f"it has {found.st_size:,} bytes, more than {most:,}", str(path))


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(value: Any) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def digest_of_each(values: Iterable[Any]) -> str:
    """What `digest` gives of a list of the values, whose JSON is never in memory as a whole."""
    found, before = hashlib.sha256(b"["), b""
    for value in values:
        found.update(before + canonical_json(value))
        before = b","
    found.update(b"]")
    return found.hexdigest()


@contextmanager
def _naming(path: Path, temporary: Path) -> Iterator[None]:
    """Let an error of the operating system name `path`, and not the temporary path or nothing.

    Some writers (safetensors) have errors of their own that hold the system's number as text.
    """
    try:
        yield
    except OSError as error:
        if error.errno is not None:
            named = str(error.filename or path)
            error.filename = named.replace(str(temporary), str(path))
            error.filename2 = None
        raise
    except Exception as error:
        number = None if isinstance(error, AlignRecError) else _SYSTEM_ERROR.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error


@contextmanager
def _temporary_name(path: Path, kind: Literal["tmp", "new", "old"]) -> Iterator[Path]:
    """A hidden name beside `path` that no other process and no other block uses."""
    name = f".{path.name}.{_machine()}-{os.getpid()}-{secrets.token_hex(4)}.{kind}"
    _in_use.add(name)
    try:
        yield path.with_name(name)
    finally:
        _in_use.discard(name)


@cache
def _machine() -> str:
    """Names the machine, and the container in it, within which process numbers mean something."""
    numbers = Path("/proc/self/ns/pid")
    namespace = str(numbers.readlink()) if numbers.is_symlink() else ""
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:8]


def _abandoned(paths: Iterable[Path], name: str | None = None) -> list[Path]:
    """Those of `paths` that are temporary and whose process is dead; with `name` only that one's."""
    found = []
    for path in paths:
        match = _TEMPORARY.fullmatch(path.name)
        if match is None or match["machine"] != _machine() or name not in (None, match["name"]):
            continue
        process = int(match["process"])
        if path.name not in _in_use if process == os.getpid() else not _lives(process):
            found.append(path)
    return found


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        return True
    return True


def _clear(abandoned: Iterable[Path]) -> None:
    """Remove abandoned files and folders; a folder set aside goes back where no new one took its place."""
    for path in abandoned:
        match = _TEMPORARY.fullmatch(path.name)
        if match is not None and match["kind"] == "old" and not (path.parent / match["name"]).exists():
            path.rename(path.parent / match["name"])
        elif path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _set_mode(path: Path, mode: int) -> None:
    found = path.lstat()
    linked = stat.S_ISLNK(found.st_mode) or (stat.S_ISREG(found.st_mode) and found.st_nlink > 1)
    if not linked and stat.S_IMODE(found.st_mode) != mode:
        path.chmod(mode)
