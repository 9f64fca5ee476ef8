"""`alignrec init`: which tables, columns and pictures of a folder a run would take."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from alignrec.core import vocabulary
from alignrec.pipeline.catalog.formats.format import format_of, formats_by_ending, open_table
from alignrec.pipeline.catalog.image_refs import is_url
from alignrec.pipeline.catalog.sources.folder import NO_PICTURES, files_below
from alignrec.pipeline.catalog.sources.source import SOURCES, Draft
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.errors import CatalogError, ConfigError

# Names that columns have in the wild, the likelier first; compared without case and underscores.
ITEM = (
    "item_id",
    "sku",
    "asin",
    "parent_asin",
    "product_id",
    "movie_id",
    "article_id",
    "item",
    "product",
    "id",
)
USER = ("user_id", "customer_id", "reviewer_id", "user", "customer", "session_id", "member_id")
RATING = ("rating", "overall", "stars", "score")
TIME = ("timestamp", "unix_review_time", "time", "unixtime", "ts", "created_at", "date")
IMAGE = (
    "image",
    "image_path",
    "picture",
    "photo",
    "poster",
    "img",
    "image_url",
    "img_url",
    "path",
    "file_name",
)
TEXT = (
    "title",
    "name",
    "product_name",
    "brand",
    "categories",
    "category",
    "genres",
    "year",
    "description",
    "text",
)
SAMPLE = 200


def detect_catalogue(folder: Path) -> Draft:
    """What a run could take from a folder: a published catalogue that a source recognises, else its tables.

    Raises:
        ConfigError: there is no such folder, or no items table in it.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}: name the one that holds the catalogue")
    for source in sorted(SOURCES.values(), key=lambda source: -source.precedence):
        draft = source.detect(folder)
        if draft is not None:
            return draft
    return _from_tables(folder)


def _from_tables(folder: Path) -> Draft:
    """Of ordinary tables, those with users are interactions, those with texts or pictures are items."""
    opened = [(file, table) for file in files_below(folder) if (table := _open(file)) is not None]
    logs = [(f, t) for f, t in opened if _column(t.columns, USER) and _column(t.columns, ITEM)]
    catalogues = [(f, t) for f, t in opened if (f, t) not in logs and _column(t.columns, ITEM)]
    catalogues.sort(key=lambda pair: -len(_text_columns(pair[1].columns)))
    if not catalogues:
        seen = ", ".join(file.name for file, _ in opened) or "none"
        raise ConfigError(
            f"{folder} has no table of items: expected a column such as {', '.join(ITEM[:4])} in a table of "
            f"{', '.join(formats_by_ending())}. Tables seen: {seen}"
        )
    file, table = catalogues[0]
    items, notes = _items_section(folder, file, table)
    if not logs:
        notes.append("No table of interactions was found: the run goes as far as pretraining.")
        return Draft(items, notes=notes)
    return Draft(items, _interactions_section(folder, *logs[0], items["id"]), notes=notes)


def _open(file: Path) -> Table | None:
    if format_of(file) is None:
        return None
    try:
        return open_table(str(file))
    except CatalogError:
        return None


def _items_section(folder: Path, file: Path, table: Table) -> tuple[dict[str, Any], list[str]]:
    """The section of an items table, and notes on what a person should look at."""
    section = {"path": file.relative_to(folder).as_posix(), "id": _column(table.columns, ITEM)}
    notes = []
    image = _column(table.columns, IMAGE)
    section[vocabulary.IMAGE] = image
    if image is None:
        notes.append(NO_PICTURES)
    else:
        values = [row[image] for row in islice(table.rows([image]), SAMPLE)]
        root = _image_root(folder, file.parent, [v for v in values if isinstance(v, str) and v])
        section |= {"image_root": root} if root else {}
        if any(isinstance(value, str) and is_url(value) for value in values):
            notes.append("Pictures are URLs: `alignrec download` fetches them before the run.")
    texts = _text_columns(table.columns)
    section[vocabulary.TEXT] = ". ".join(f"{{{column}}}" for column in texts) or None
    if not texts:
        notes.append("No column looks like a text: text is null.")
    return section, notes


def _image_root(folder: Path, table_folder: Path, values: Sequence[str]) -> str | None:
    """The folder in which most pictures are, if that is not the table's."""
    places = [table_folder, folder, *(p for p in sorted(folder.iterdir()) if p.is_dir())]
    hits = {place: sum((place / value).is_file() for value in values) for place in places}
    best = max(hits, key=lambda place: hits[place], default=table_folder)
    if not hits[best] or hits[best] == hits[table_folder]:
        return None
    return best.relative_to(folder).as_posix()


def _interactions_section(folder: Path, file: Path, table: Table, item_id: str) -> dict[str, Any]:
    columns = table.columns
    section: dict[str, Any] = {"path": file.relative_to(folder).as_posix(), "user": _column(columns, USER)}
    section["item"] = item_id if item_id in columns else _column(columns, ITEM)
    rows = list(islice(table.rows(columns), SAMPLE))
    for key, names in (("rating", RATING), ("timestamp", TIME)):
        column = _column(columns, names)
        if column is not None and all(_is_number(row[column]) for row in rows):
            section[key] = column
    rating = section.get("rating")
    if rating and max((float(row[rating]) for row in rows), default=0) == 5:
        section["min_rating"] = 4
    return section


def _column(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column with the likeliest of some names."""
    plain = {column.lower().replace("_", ""): column for column in reversed(columns)}
    return next((plain[name.replace("_", "")] for name in names if name.replace("_", "") in plain), None)


def _text_columns(columns: Sequence[str]) -> list[str]:
    found = (_column(columns, [name]) for name in TEXT)
    return [column for column in found if column is not None]


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
