"""JSON Lines: an object a line, each with keys of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from alignrec.pipeline.catalog.files import read_lines
from alignrec.pipeline.catalog.formats.format import TableFormat
from alignrec.pipeline.catalog.tables import Table, table_of_rows
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.errors import CatalogError


def open_json_lines(file: Path) -> Table:
    """A file of JSON objects; its columns are the keys of all of them.

    Raises:
        CatalogError: a line is no object; with the line.
    """

    def objects() -> Iterator[Row]:
        for number, line in read_lines(file):
            try:
                row = json.loads(line)
            except ValueError as error:
                raise CatalogError(f"{file}, line {number}: not a JSON object ({error}).") from None
            if not isinstance(row, dict):
                raise CatalogError(f"{file}, line {number}: expected a JSON object, got {line[:40]!r}.")
            yield row

    # A key may be left out of some objects.
    columns: dict[str, None] = {}
    for row in objects():
        columns.update(dict.fromkeys(row))
    return table_of_rows(str(file), tuple(columns), objects)


JSON_LINES = TableFormat("JSON Lines", (".jsonl", ".ndjson"), open_json_lines)
