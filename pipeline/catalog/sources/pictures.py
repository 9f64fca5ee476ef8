"""A folder of pictures and no table: every picture is an item, and its folder's name what it is of.

This is also how torchvision's ImageFolder and Hugging Face's `imagefolder` keep pictures without metadata: a
folder for each label, folders of splits around them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from alignrec.core.vocabulary import IMAGE, TEXT
from alignrec.pipeline.catalog.formats.format import format_of
from alignrec.pipeline.catalog.sources.folder import PICTURES, files_below
from alignrec.pipeline.catalog.sources.source import Draft, Source
from alignrec.pipeline.catalog.tables import Table, table_of_rows
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.errors import CatalogError

ITEM_COLUMNS = ("item_id", IMAGE, "label")


def open_items(folder: Path, _pictures: Path) -> Table:
    """The pictures in a folder and below, in their paths' order.

    `item_id` is a picture's path in the folder without its ending, or with it where two differ in nothing
    else; `label` is the name of the folder that it is in, null for one that lies in `folder` itself.

    Raises:
        CatalogError: there is no such folder.
    """
    if not folder.is_dir():
        raise CatalogError(f"there is no folder {folder}: expected pictures in it or below it")

    def records() -> Iterator[Row]:
        paths = [path.relative_to(folder) for path in _below(folder)]
        stems = Counter(path.with_suffix("").as_posix() for path in paths)
        for path in paths:
            stem, name = path.with_suffix("").as_posix(), path.as_posix()
            label = path.parent.name or None
            yield {"item_id": stem if stems[stem] == 1 else name, IMAGE: name, "label": label}

    return table_of_rows(str(folder), ITEM_COLUMNS, records)


def open_interactions(folder: Path) -> Table:
    """Raises CatalogError: pictures say nothing of interactions."""
    raise CatalogError(f"{folder} holds pictures, and no interactions: name a table of them")


def detect(folder: Path) -> Draft | None:
    """What a config says of a folder that holds pictures and not one table."""
    if any(format_of(file) for file in files_below(folder)):
        return None
    paths = [path.relative_to(folder) for path in _below(folder)]
    if not paths:
        return None
    labels = {path.parent.name for path in paths}
    return Draft(
        {"path": f"{FOLDER_OF_PICTURES.name}:.", TEXT: "{label}" if len(labels) > 1 else None},
        notes=["Every picture is an item, since there is no table; no interactions, so nothing is measured."],
    )


def _below(folder: Path) -> list[Path]:
    """Pictures in a folder and below; what hidden folders and runs hold is left out."""
    return sorted(
        path
        for path in folder.rglob("*")
        if path.suffix.lower() in PICTURES
        and path.is_file()
        and not any(part.startswith(".") or part == "runs" for part in path.relative_to(folder).parts)
    )


# Pictures are in many folders: this is what is left when nothing else is recognised.
FOLDER_OF_PICTURES = Source("pictures", open_items, open_interactions, detect, precedence=-1)
