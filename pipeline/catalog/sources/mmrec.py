"""A dataset folder of MMRec (github.com/enoche/MMRec): dense ids, and features somebody else made.

Items come with the row of their features, which `extract.image: given:…/image_feat.npy` and `extract.text:
given:…/text_feat.npy` look up: the pipeline begins at pretraining.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from alignrec.core.display import shown
from alignrec.core.files import open_regular
from alignrec.core.vocabulary import IMAGE, MODALITIES, TEXT
from alignrec.pipeline.catalog.files import read_lines, readable
from alignrec.pipeline.catalog.id_maps import read_id_map
from alignrec.pipeline.catalog.sources.folder import files_below
from alignrec.pipeline.catalog.sources.source import Draft, Source
from alignrec.pipeline.catalog.tables import Table, table_of_rows
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.errors import CatalogError

ITEM_COLUMNS = ("item_id", IMAGE, TEXT)
# A dense index: what it counts fits in 64 bits.
_INDEX = re.compile("[0-9]{1,18}")
INTERACTION_COLUMNS = ("user_id", "item_id", "rating", "timestamp", "x_label")


def open_items(folder: Path, _pictures: Path) -> Table:
    """The items that interactions name; `image` and `text` are rows of the given features.

    Ids are those of `i_id_mapping.csv`, or the dense ones where there is no such file.
    """
    names = _names(folder, "i_id_mapping.csv")

    def records() -> Iterator[Row]:
        dense = {int(row["itemID"]) for row in _interactions(folder)}
        for item in sorted(dense):
            yield {"item_id": _name(names, item, folder), IMAGE: {"row": item}, TEXT: str(item)}

    return table_of_rows(str(folder), ITEM_COLUMNS, records)


def open_interactions(folder: Path) -> Table:
    """The `.inter` file, with the ids of the items and users."""
    items, users = (_names(folder, name) for name in ("i_id_mapping.csv", "u_id_mapping.csv"))

    def records() -> Iterator[Row]:
        for row in _interactions(folder):
            yield {
                "user_id": _name(users, int(row["userID"]), folder),
                "item_id": _name(items, int(row["itemID"]), folder),
                **{column: row.get(column) for column in ("rating", "timestamp", "x_label")},
            }

    return table_of_rows(str(folder), INTERACTION_COLUMNS, records)


def _interactions(folder: Path) -> Iterator[dict[str, str]]:
    found = sorted(folder.glob("*.inter")) if folder.is_dir() else []
    if len(found) != 1:
        raise CatalogError(f"{folder}: expected an MMRec dataset with one .inter file, found {len(found)}.")
    header: list[str] = []
    for number, line in read_lines(found[0]):
        fields = line.decode("utf-8", "replace").split("\t")
        where = f"{found[0]}, line {number}"
        if not header:
            header = fields
            if missing := [name for name in ("userID", "itemID") if name not in header]:
                raise CatalogError(
                    f"{where}: expected a tab-separated header with userID and itemID; there is no "
                    f"{' and no '.join(missing)} in {shown(header)}."
                )
            continue
        if len(fields) != len(header):
            raise CatalogError(f"{where}: expected {len(header)} tab-separated fields, got {len(fields)}.")
        row = dict(zip(header, fields, strict=True))
        if not (_INDEX.fullmatch(row["userID"]) and _INDEX.fullmatch(row["itemID"])):
            raise CatalogError(f"{where}: userID and itemID must be whole numbers, got {shown(fields[:2])}.")
        yield row


def _names(folder: Path, file: str) -> dict[int, str] | None:
    """Ids by dense index; None where there is no such file."""
    path = folder / file
    return read_id_map(path) if path.is_file() else None


def _name(names: dict[int, str] | None, index: int, folder: Path) -> str:
    if names is None:
        return str(index)
    if index not in names:
        raise CatalogError(f"{folder}: the id maps do not name index {index}, which the .inter file uses.")
    return names[index]


def detect(folder: Path) -> Draft | None:
    """What a config says of a folder with an `.inter` file and features, or the items' ids, beside it."""
    inter = next((p for p in files_below(folder) if p.suffix == ".inter"), None)
    if inter is None:
        return None

    def relative(path: Path) -> str:
        return path.relative_to(folder).as_posix()

    path = {"path": f"{MMREC.name}:{relative(inter.parent)}"}
    features = {name: inter.parent / f"{name}_feat.npy" for name in MODALITIES}
    extract = {name: f"given:{relative(path)}" for name, path in features.items() if path.is_file()}
    if not extract:
        return Draft({}, dict(path)) if (inter.parent / "i_id_mapping.csv").is_file() else None
    maps = {"items": inter.parent / "i_id_mapping.csv", "users": inter.parent / "u_id_mapping.csv"}
    split: dict[str, Any] = {}
    if all(path.is_file() for path in maps.values()):
        split = {"method": "mmrec", "path": relative(inter)}
        split |= {key: relative(path) for key, path in maps.items()}
    with readable(inter), TextIOWrapper(open_regular(inter), "utf-8") as lines:
        header = lines.readline().split()
    return Draft(
        path
        | {TEXT: f"{{{TEXT}}}" if TEXT in extract else None}
        | ({} if IMAGE in extract else {IMAGE: None}),
        path | {name: name for name in ("rating", "timestamp") if name in header},
        split,
        extract,
        ["The features are somebody else's: the run begins at pretraining."],
    )


# A folder of MMRec often keeps the Amazon files that it was made of.
MMREC = Source("mmrec", open_items, open_interactions, detect, precedence=1)
