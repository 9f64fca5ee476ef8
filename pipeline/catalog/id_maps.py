"""Id maps as MMRec has them: the ids behind the numbers by which other files name users and items."""

from __future__ import annotations

import csv
from io import TextIOWrapper
from pathlib import Path

from alignrec.core.display import shown
from alignrec.core.errors import nearest_file
from alignrec.pipeline.catalog.files import open_text, readable
from alignrec.pipeline.errors import CatalogError


def read_id_map(path: Path) -> dict[int, str]:
    """Ids by number, from a tab-separated table of ids and whole numbers with a header.

    Raises:
        CatalogError: it is not there or cannot be read, a line is something else, or a number or an id occurs
            twice; with the line and what stands there.
    """
    if not path.is_file():
        raise CatalogError(f"there is no file {path}.{nearest_file(path)}")
    names: dict[int, str] = {}
    known: dict[str, int] = {}
    with readable(path), open_text(path) as stream:
        lines = csv.reader(TextIOWrapper(stream, "utf-8-sig", newline=""), delimiter="\t", strict=True)
        try:
            next(lines, None)
            for fields in filter(None, lines):
                where = f"{path}, line {lines.line_num}"
                if len(fields) != 2 or not fields[0] or not fields[1].isdecimal():
                    raise CatalogError(
                        f"{where}: expected an id, a tab and a whole number, got {shown(fields)}."
                    )
                name, number = fields[0], int(fields[1])
                if number in names:
                    raise CatalogError(
                        f"{where}: the number {number} of {shown(name)} is {shown(names[number])}'s already."
                    )
                if name in known:
                    raise CatalogError(f"{where}: the id {shown(name)} has the number {known[name]} already.")
                names[number], known[name] = name, number
        except csv.Error as error:
            raise CatalogError(f"{path}, line {lines.line_num}: {error}.") from None
    return names


def read_ids(path: Path, count: int | None = None) -> list[str]:
    """The ids of an id map in the order of their numbers, which are 0 to `count` - 1.

    Args:
        path: the map.
        count: how many are needed, further ones are left out; by default all there are.

    Raises:
        CatalogError: as `read_id_map`, or a number has no id.
    """
    names = read_id_map(path)
    needed = range(len(names) if count is None else count)
    absent = next((number for number in needed if number not in names), None)
    if absent is not None:
        missing = len(needed) - sum(number in needed for number in names)
        raise CatalogError(
            f"{path} has no id for {missing:,} of the numbers 0 to {len(needed) - 1:,}, such as {absent}."
        )
    return [names[number] for number in needed]
