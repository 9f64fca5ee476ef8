"""Names that files give to things and that become paths: checked where they are parsed, joined safely."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, StrictStr

from alignrec.core.errors import AlignRecError


class OutsideError(AlignRecError, ValueError):
    """A path leads out of the folder that it belongs to (exit code 2)."""


LONGEST_NAME, LONGEST_PATH = 100, 400
# ASCII alone, so that no two spellings look alike; a dot neither begins nor ends it.
_NAME = re.compile(rf"(?=.{{1,{LONGEST_NAME}}}\Z)[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_-])?", re.ASCII)
# Devices of Windows, whatever follows a dot (learn.microsoft.com/windows/win32/fileio/naming-a-file).
_RESERVED = {
    *("con", "prn", "aux", "nul"),
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(10)),
}


def check_name(name: str) -> str:
    """The name itself, where it can be a file's on every system.

    Raises:
        ValueError: it is not letters, digits, `_`, `-` and inner dots, is too long, or names a device.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name[:50]!r} is not a name: expected letters, digits, _, - and inner dots, "
            f"at most {LONGEST_NAME} characters"
        )
    if name.partition(".")[0].lower() in _RESERVED:
        raise ValueError(f"{name!r} is not a name: some systems keep it for a device")
    return name


def name_like(text: str) -> str:
    """A name that reads like a text; "" where there is none."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", text[:LONGEST_NAME]).strip("-.")
    try:
        return check_name(name)
    except ValueError:
        return ""


def check_path(path: str) -> str:
    """The path itself, where it is one of names parted by `/`: relative, and leading nowhere else.

    Raises:
        ValueError: it is not.
    """
    try:
        for part in path.split("/"):
            check_name(part)
    except ValueError as error:
        raise ValueError(f"the path {path[:50]!r} is not made of names parted by /: {error}") from None
    if len(path) > LONGEST_PATH:
        raise ValueError(f"the path {path[:50]!r}… has {len(path)} characters, at most {LONGEST_PATH} fit")
    return path


def check_distinct(names: Iterable[str], what: str) -> None:
    """Names of one folder, or paths below it, must not be one and the same on any system.

    Raises:
        ValueError: two are the same but for upper and lower case, or one is a folder of another.
    """
    seen: dict[str, str] = {}
    for name in names:
        if (first := seen.get(name.lower())) is not None:
            raise ValueError(f"{what} {name!r} is listed twice" + (f", as {first!r}" * (first != name)))
        seen[name.lower()] = name
    for folded, name in seen.items():
        folder = folded
        while "/" in folder:
            folder = folder.rpartition("/")[0]
            if folder in seen:
                raise ValueError(f"{what} {seen[folder]!r} is the folder of {name!r}")


def inside(folder: Path, path: str) -> Path:
    """A path below a folder, its links followed.

    Args:
        folder: where it is to stay; it may itself be a link.
        path: as a file gave it, checked or not.

    Raises:
        OutsideError: it leads out of the folder, by its name or by a link.
    """
    if "\0" in path:
        raise OutsideError(f"the path {path[:50]!r} has a NUL")
    joined = folder / path
    try:
        resolved, root = joined.resolve(), folder.resolve()
    except (OSError, RuntimeError) as error:  # a loop of links
        raise OutsideError(f"the path {path[:50]!r} cannot be followed: {error}") from None
    if resolved == root or not resolved.is_relative_to(root):
        raise OutsideError(f"{path[:50]!r} leads outside {folder}")
    return joined


Name = Annotated[StrictStr, AfterValidator(check_name)]
RelativePath = Annotated[StrictStr, AfterValidator(check_path)]
