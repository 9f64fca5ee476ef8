"""Which column leads to pictures, or to sounds, and from which folder: found by opening some."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from alignrec.extractors.errors import ExtractorError, RejectedError
from alignrec.extractors.modality import IMAGE, Kind
from alignrec.pipeline.catalog.file_cells import FileRefError
from alignrec.pipeline.catalog.file_refs import OutsideRootError, first_file, read_file
from alignrec.pipeline.commands.detect.columns import Column
from alignrec.pipeline.commands.detect.roles import names_files

TRIED = 20
_FOLDERS = 200  # more are not looked at
_MOST_LINKED = 8  # folders outside of the root


@dataclass(frozen=True)
class Pictures:
    """What came of a column.

    Attributes:
        column: its name.
        root: the folder that its paths start from.
        opened: how many of those tried are pictures, or sounds, that a model could read.
        tried: how many values were tried.
        urls: it names them by URL, and they are not here yet.
        why: what kept the first of the others from opening; "" where all did.
        linked: folders outside of the root that those which opened lie in, by links or in full.
    """

    column: str
    root: Path
    opened: int
    tried: int
    urls: bool = False
    why: str = ""
    linked: tuple[Path, ...] = ()


def try_pictures(column: Column, roots: Sequence[Path], kind: Kind = IMAGE) -> Pictures | None:
    """Open up to twenty pictures that a column names; None where its values do not look like pictures at all.

    Args:
        column: a sample.
        roots: folders that paths may start from, the likelier first.
        kind: of pictures, or of sounds.
    """
    values = _spread(column.values, TRIED)
    if not values or column.words > 4 or column.times > 0.9 or (column.fractions and column.texts):
        return None
    known, alike = names_files(column, kind), column.pictures if kind is IMAGE else column.sounds
    if column.urls > 0.5:
        if not known and alike < 0.5:
            return None
        return Pictures(column.name, roots[0], 0, len(values), urls=True)
    found = [open_all(column.name, values, root, kind) for root in roots]
    best = max(found, key=lambda one: one.opened)
    return best if best.opened or known or alike > 0.5 else None


def open_all(column: str, values: Sequence[Any], root: Path, kind: Kind = IMAGE) -> Pictures:
    """Decode what values refer to below a root, or outside of it where links (or full paths) lead there."""
    opened, why = 0, ""
    linked = folders_outside(values, root)
    for value in values:
        try:
            image = first_file(value, root, linked, kind)
            if image is None:
                continue
            data = read_file(image.path) if image.path else image.embedded
            if data is not None:
                _open(data, kind)
            opened += 1
        except (FileRefError, RejectedError, OSError) as error:
            why = why or str(error)
    return Pictures(column, root, opened, len(values), why=why, linked=linked)


def _open(data: bytes, kind: Kind) -> None:
    """Decode a file; where nothing is installed that does, see that it begins as one that can be.

    Raises:
        RejectedError: it cannot be used.
    """
    assert kind.decode is not None and kind.format_of is not None
    try:
        kind.decode(data)
    except ExtractorError:
        if kind.format_of(data) is None:
            raise RejectedError("damaged", f"the content is of no {kind.noun}") from None


def folders_outside(values: Sequence[Any], root: Path) -> tuple[Path, ...]:
    """Folders outside of a root that named pictures are in: the cache of DVC or of the Hub, another disk.

    The one that holds them all, unless that would hold the root too, or be nearly all of a disk; then each.
    """
    parents = sorted({target.parent for value in values if (target := _outside(value, root))})
    if len(parents) < 2:
        return tuple(parents)
    whole = Path(os.path.commonpath(parents))
    if len(whole.parts) > 2 and not root.resolve().is_relative_to(whole):
        return (whole,)
    return tuple(parents) if len(parents) <= _MOST_LINKED else ()


def _outside(value: Any, root: Path) -> Path | None:
    """The file that a value leads to, where that is outside of the root."""
    try:
        first_file(value, root)
    except OutsideRootError as error:
        return error.target if error.target.is_file() else None
    except FileRefError:
        pass
    return None


def picture_roots(folder: Path, table: Path, kind: Kind = IMAGE) -> list[Path]:
    """Folders that paths may start from: the table's, the catalogue's, those above pictures, or sounds."""
    home = table if table.is_dir() else table.parent
    below = list(islice((path for path in sorted(_folders(folder)) if any(_files(path, kind))), _FOLDERS))
    around = {parent for path in below for parent in path.parents if parent.is_relative_to(folder)}
    return list(dict.fromkeys([home, folder, *sorted(around), *below]))


def _folders(folder: Path) -> Iterator[Path]:
    """Folders in a folder and one level below; hidden ones and runs are left out."""
    for path in (*folder.glob("*"), *folder.glob("*/*")):
        if path.is_dir() and not any(part.startswith(".") for part in path.relative_to(folder).parts):
            yield path


def _files(folder: Path, kind: Kind) -> Iterator[Path]:
    return (path for path in folder.iterdir() if path.suffix.lower() in kind.endings)


def _spread(values: Sequence[Any], count: int) -> list[Any]:
    """Some values, at equal distances."""
    return list(values[:: max(1, len(values) // count)])[:count]
