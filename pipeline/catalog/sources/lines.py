"""Text files line by line, with the number of the line in every complaint, and pictures by item id."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from alignrec.core.errors import nearest_file
from alignrec.pipeline.catalog.tables import Row, Table, open_bytes, readable
from alignrec.pipeline.errors import CatalogError

PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp")


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that may be gzipped, each with its number from 1; empty ones are left out.

    Raises:
        CatalogError: it is not there, or ends in the middle of its compressed data; with the line.
    """
    if not file.is_file():
        raise CatalogError(
            f"there is no file {file}.{nearest_file(file)} The path starts from the config's folder."
        )
    with readable(file), open_bytes(file) as lines:
        for number, line in enumerate(lines, start=1):
            if line.strip():
                yield number, line.rstrip(b"\r\n")


def table_of(where: Path, columns: Sequence[str], records: Callable[[], Iterator[Row]]) -> Table:
    """A table of records that are read anew each time; a column that a record lacks is None."""

    def rows(names: Sequence[str], start: int, stop: int | None) -> Iterator[Row]:
        for record in islice(records(), start, stop):
            yield {name: record.get(name) for name in names}

    return Table(str(where), tuple(columns), rows)


def pictures_by_id(folder: Path) -> dict[str, str]:
    """File names in a folder by what comes before their ending."""
    return {path.stem: path.name for path in sorted(folder.iterdir()) if path.suffix.lower() in PICTURES}


def picture_stem(item_id: str) -> str:
    """The name, without ending, under which an item's picture is looked for: its id, percent-encoded."""
    return quote(item_id, safe="")
