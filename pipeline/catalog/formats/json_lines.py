"""JSON Lines: an object a line, each with keys of its own. https://jsonlines.org"""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from alignrec.pipeline.catalog.files import read_lines
from alignrec.pipeline.catalog.formats.format import TableFormat
from alignrec.pipeline.catalog.tables import Table, table_of_rows
from alignrec.pipeline.catalog.values import DEEPEST, Row, check_depth
from alignrec.pipeline.errors import CatalogError

_SHOWN = 40


def open_json_lines(file: Path) -> Table:
    """A file of JSON objects; its columns are the keys of all of them.

    Raises:
        CatalogError: a line is no object, has a key twice or is nested too deeply; with the line.
    """

    def objects() -> Iterator[Row]:
        for number, line in read_lines(file):
            yield _object(line.removeprefix(codecs.BOM_UTF8), f"{file}, line {number}")

    # A key may be left out of some objects.
    columns: dict[str, None] = {}
    for row in objects():
        columns.update(dict.fromkeys(row))
    return table_of_rows(str(file), tuple(columns), objects)


class _RepeatedKeyError(ValueError):
    """An object has a key twice."""


def _object(line: bytes, where: str) -> Row:
    """The object of a line; `where` names file and line."""
    try:
        text = line.decode()
    except UnicodeDecodeError as error:
        raise CatalogError(f"{where}, is not UTF-8: {error}. Convert it, then run again.") from None
    if text.lstrip()[:1] != "{":
        hint = " `jq -c '.[]'` makes such lines of an array." if text.lstrip()[:1] == "[" else ""
        raise CatalogError(f"{where}: expected a JSON object, one a line, got {text[:_SHOWN]!r}.{hint}")
    try:
        row: Row = json.loads(text, object_pairs_hook=_once)
        check_depth(row, text)
    except _RepeatedKeyError as error:
        raise CatalogError(f"{where}: {error}. Give each value a name of its own.") from None
    except RecursionError:
        raise CatalogError(
            f"{where}: its values are nested more than {DEEPEST} levels deep: {text[:_SHOWN]!r}."
        ) from None
    except ValueError as error:
        raise CatalogError(
            f"{where}: not a JSON object, which stands on one line ({error}): {text[:_SHOWN]!r}."
        ) from None
    return row


def _once(pairs: Sequence[tuple[str, Any]]) -> Row:
    """An object of pairs, each key once."""
    row = dict(pairs)
    if len(row) < len(pairs):
        names = [name for name, _ in pairs]
        raise _RepeatedKeyError(f"the key {next(n for n in names if names.count(n) > 1)!r} occurs twice")
    return row


JSON_LINES = TableFormat("JSON Lines", (".jsonl", ".ndjson"), open_json_lines)
