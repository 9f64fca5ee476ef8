"""The items that a report shows: which, how they are called, what they look and sound like."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from alignrec.extractors.errors import RejectedError
from alignrec.extractors.inputs.template import TextTemplate
from alignrec.extractors.inputs.text import as_text, tidy
from alignrec.extractors.modality import AUDIO, IMAGE, Kind
from alignrec.pipeline.catalog.arrow_values import python_values
from alignrec.pipeline.catalog.contents import files_of
from alignrec.pipeline.catalog.file_cells import FileRefError
from alignrec.pipeline.catalog.file_refs import find_file, read_file
from alignrec.pipeline.catalog.items import content_root, conversions, image_root
from alignrec.pipeline.catalog.object_stores import RemoteFile
from alignrec.pipeline.catalog.sources.source import open_items
from alignrec.pipeline.catalog.values import Row, text_values
from alignrec.pipeline.config.catalog import ItemsConfig, ModalityConfig, short_forms
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.report.thumbnails import Source

MAX_ITEMS = 2000
# Of the other columns, the first so many are looked at: in JSON Lines there can be more of them than rows, so
# that rows times columns grows with the square.
MAX_COLUMNS = 100
TITLE_COLUMNS = ("title", "name")
LONGEST_TITLE, LONGEST_TEXT = 120, 280


@dataclass
class Entry:
    """One row of the items table, fit to be shown.

    Attributes:
        title: cut to `LONGEST_TITLE` characters; the id where the row has no title.
        text: what the text model reads, cut to `LONGEST_TEXT`.
        picture: where its picture's bytes come from, if it names a picture that is there.
        sound: likewise its sound's.
        values: the other columns.
    """

    item_id: str | None
    title: str
    text: str = ""
    picture: Source | None = None
    sound: Source | None = None
    values: Row = field(default_factory=dict)


@dataclass(frozen=True)
class Entries:
    """What was read of the items table.

    Attributes:
        items: an entry for each item asked for, in that order.
        rows: an entry for each row asked for, by number.
        columns: columns that are neither id, picture, sound nor title, the first `MAX_COLUMNS`.
    """

    items: list[Entry]
    rows: dict[int, Entry]
    columns: list[str]


def choose(
    item_ids: Sequence[str],
    interactions: NDArray[np.int64] | None,
    named: Sequence[int] = (),
    most: int | None = None,
) -> NDArray[np.int64]:
    """Which items to show: those named, and those with the most interactions, else spread over the catalogue.

    Args:
        item_ids: of the catalogue.
        interactions: int64 `[n]`, of each item; None for a catalogue without.
        named: rows, fewer than `most`, that are shown in any case.
        most: items; `MAX_ITEMS` by default.

    Returns:
        int64 rows, at most `most`, most interactions first (catalogue order among equals).
    """
    n, most = len(item_ids), most or MAX_ITEMS
    order = np.arange(n) if interactions is None else np.argsort(-interactions, kind="stable")
    if n <= most:
        return order
    wanted = np.isin(order, named)
    others = np.flatnonzero(~wanted)
    free = most - int(wanted.sum())
    spread = np.arange(free) if interactions is not None else np.linspace(0, len(others) - 1, free)
    wanted[others[spread.astype(np.int64)]] = True
    return order[wanted]


def read_entries(
    config: ItemsConfig,
    item_ids: Sequence[str],
    rows: Sequence[int],
    modalities: Mapping[str, ModalityConfig] | None = None,
) -> Entries:
    """Read the items table once for what is to be shown.

    Args:
        config: the table, and the short form of its modalities.
        item_ids: items to show; of rows with the same id the first counts, as in extraction.
        rows: numbers of rows to show besides, such as rejected ones.
        modalities: those that `catalog.modalities` names.

    Raises:
        CatalogError: the table is not there any more or cannot be read.
    """
    reader = _Reader(config, modalities or {})
    wanted, numbers = set(item_ids), set(rows)
    found: dict[str, Entry] = {}
    others: dict[int, Entry] = {}
    for number, row in enumerate(reader.rows()):
        item_id = row[config.id]
        new = item_id in wanted and item_id not in found
        if new or number in numbers:
            entry = reader.entry(item_id, row)
            if new and item_id is not None:
                found[item_id] = entry
            if number in numbers:
                others[number] = entry
    items = [found.get(i) or Entry(i, clip(readable(i), LONGEST_TITLE)) for i in item_ids]
    return Entries(items, others, reader.others)


class _Reader:
    """Turns rows into entries."""

    def __init__(self, config: ItemsConfig, modalities: Mapping[str, ModalityConfig]) -> None:
        self.config, self.table = config, open_items(config.path, image_root(config))
        self.root, self.modalities = content_root(config), modalities
        located = (short_forms(config) | dict(modalities)).values()
        # One text, one picture and one sound are shown: of the first modality that has any.
        texts = next((one.template for one in located if one.template), ())
        self.templates = [TextTemplate(template) for template in texts]
        self.pictures, self.sounds = (
            next((one.columns for one in located if one.type == kind.name), ()) for kind in (IMAGE, AUDIO)
        )
        named = [c for c in self.table.columns if c.lower() in TITLE_COLUMNS]
        fields = [name for template in self.templates for name in template.fields]
        self.title = next(iter([*named, *fields]), config.id)
        kept = [config.id, *self.pictures, *self.sounds, self.title]
        self.others = [c for c in self.table.columns if c not in kept][:MAX_COLUMNS]
        self.columns = [*kept, *fields, *self.others]

    def rows(self) -> Iterator[Row]:
        shown = dict.fromkeys(set(self.columns) - {*self.pictures, *self.sounds}, _shown)
        texts = conversions(self.config, self.modalities)
        return self.table.rows(self.columns, conversions=shown | texts)

    def entry(self, item_id: str | None, row: Row) -> Entry:
        title = clip(readable(row[self.title]), LONGEST_TITLE)
        text = " ".join(filter(None, (_filled(template, row) for template in self.templates)))
        return Entry(
            item_id,
            title or clip(readable(item_id) or "no title", LONGEST_TITLE),
            clip(text, LONGEST_TEXT),
            self._file(row, self.pictures, IMAGE),
            self._file(row, self.sounds, AUDIO),
            {column: row[column] for column in self.others},
        )

    def _file(self, row: Row, columns: Sequence[str], kind: Kind) -> Source | None:
        """The first picture, or sound, that is there."""
        for reference in files_of(row, columns, self.root, kind):
            try:
                found = find_file(reference, self.root, self.config.linked_folders, kind)
            except FileRefError:
                continue
            return None if found.row is not None else partial(_bytes, found.path, found.embedded)
        return None


def _filled(template: TextTemplate, row: Row) -> str:
    try:
        return tidy(template.render(row))
    except RejectedError:
        return ""


def _shown(column: pa.Array, where: str) -> list[Any]:
    """A column's values as they can be shown; those of a type that is no text as they are."""
    try:
        return text_values(column, where)
    except CatalogError:
        return python_values(column)


def _bytes(path: Path | RemoteFile | None, embedded: bytes | None) -> bytes:
    return read_file(path) if path is not None else embedded or b""


def readable(value: Any) -> str:
    """A table's value as clean text: no control characters, no lone surrogates, one line."""
    try:
        return tidy(as_text(value))
    except RejectedError:
        return ""


def clip(text: str, longest: int) -> str:
    """At most `longest` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"
