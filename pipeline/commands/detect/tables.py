"""The tables of a folder, each with a sample of its columns; which hold items, and which interactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydantic import BaseModel

from alignrec.core.documents import DocumentError, parse_as, read_bytes
from alignrec.pipeline.catalog.formats.format import format_of, open_table
from alignrec.pipeline.catalog.sources.folder import files_below
from alignrec.pipeline.catalog.sources.source import open_interactions
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.catalog.values import id_texts
from alignrec.pipeline.commands.detect.columns import Column, sample_columns
from alignrec.pipeline.commands.detect.roles import (
    ITEM,
    USER,
    best,
    id_score,
    is_called,
    text_score,
    user_score,
)
from alignrec.pipeline.errors import CatalogError

_SAVED, _SPLITS = "state.json", "dataset_dict.json"  # of a saved dataset, and of one with splits
LEAST_JOINED = 0.05  # of a log's items, so many must be the catalogue's


@dataclass(frozen=True)
class FoundTable:
    """A table of the folder.

    Attributes:
        path: as a config in the folder names it.
        file: where it is.
        columns: a sample of each.
    """

    path: str
    file: Path
    table: Table
    columns: list[Column]

    @cached_property
    def id(self) -> Column | None:
        """The column that holds ids of items best, if one could."""
        return best(self.columns, id_score, ITEM)

    @cached_property
    def texts(self) -> list[Column]:
        """Columns that a text model could read."""
        return [c for c in self.columns if text_score(c)]

    @cached_property
    def is_log(self) -> bool:
        """Whether names alone say that rows are interactions: of a user with an item that others have too."""
        if not any(is_called(c, USER) and user_score(c) for c in self.columns):
            return False
        items = [c for c in self.columns if is_called(c, ITEM) and c.texts]
        repeated = any(c.distinct < 0.98 for c in items)
        return repeated or (bool(items) and not any(c.words > 1.5 for c in self.texts))

    def ids(self, column: str) -> set[str]:
        """All ids of a column; none where its type holds no ids."""
        place = self.table.place(column)
        try:
            parts = [id_texts(batch.column(0), place).to_pylist() for batch in self.table.batches([column])]
        except CatalogError:
            return set()
        return {text for part in parts for text in part if text is not None}


@dataclass(frozen=True)
class Joined:
    """How a table's rows could be interactions with the items.

    Attributes:
        item, user: its columns.
        share: of its different items, so many are the catalogue's.
    """

    found: FoundTable
    item: Column
    user: Column
    share: float


def tables_below(folder: Path) -> tuple[list[FoundTable], list[str]]:
    """The tables in a folder and one level below, and what of others could not be read, or was not."""
    found, unread = [], []
    for path, file in _paths(folder):
        try:
            table = open_table(path if path.startswith("/") else str(folder / path))
            columns = sample_columns(table)
        except CatalogError as error:
            unread.append(f"{path} was not read: {error}")
            continue
        found.append(FoundTable(path, file, table, columns))
        if len(table.columns) > len(columns):
            unread.append(
                f"Of {path}, the first {len(columns)} of {len(table.columns):,} columns were looked at."
            )
    return found, unread


def table_of_source(path: str, folder: Path) -> FoundTable:
    """The interactions of a source, `scheme:path`.

    Raises:
        CatalogError: it cannot be read.
    """
    scheme, _, rest = path.partition(":")
    table = open_interactions(f"{scheme}:{folder / rest}")
    return FoundTable(path, folder / rest, table, sample_columns(table))


def join(found: FoundTable, ids: set[str], id_name: str) -> Joined | None:
    """The columns by which a table's rows are interactions with these items; None where they are none."""
    item = _item_column(found.columns, ids, id_name)
    if item is None:
        return None
    share = _share(item, ids)
    times = [c for c in found.columns if c.times > 0.98 and not is_called(c, USER)]
    rest = [c for c in found.columns if c is not item and c not in times]
    user = best(rest, user_score, USER)
    if user is None or not (is_called(user, USER) or (user_score(user) > 0.9 and item.distinct < 0.98)):
        return None
    return Joined(found, item, user, share)


def _item_column(columns: Sequence[Column], ids: set[str], id_name: str) -> Column | None:
    """The column most of whose values are ids of the items, and that has most of these."""

    def score(column: Column) -> float:
        coverage = len(ids.intersection(column.texts)) / max(min(len(ids), len(column.texts)), 1)
        name = 0.3 * (column.name == id_name) + 0.2 * is_called(column, ITEM) - 0.3 * is_called(column, USER)
        return _share(column, ids) + coverage / 2 + name

    joined = [c for c in columns if _share(c, ids) >= LEAST_JOINED]
    return max(joined, key=score, default=None)


def _share(column: Column, ids: set[str]) -> float:
    different = set(column.texts)
    return len(different & ids) / max(len(different), 1)


def _paths(folder: Path) -> Iterator[tuple[str, Path]]:
    """Tables as a config names them: files, saved datasets, and splits of these that do not go together."""
    saved = [
        p for p in (folder, *sorted(folder.iterdir())) if (p / _SAVED).is_file() or (p / _SPLITS).is_file()
    ]
    for place in saved:
        path = place.relative_to(folder).as_posix()
        for split in _splits(place):
            yield f"{path}{split}", place
    for file in files_below(folder):
        if format_of(file) is not None and not any(place in file.parents for place in saved):
            yield file.relative_to(folder).as_posix(), file


class _SplitNames(BaseModel):
    """What `dataset_dict.json` says."""

    splits: list[str]


def _splits(place: Path) -> list[str]:
    """`[""]` for a dataset that is one table, else `#SPLIT` for each of its splits."""
    try:
        open_table(str(place))
    except CatalogError:
        try:
            return [f"#{name}" for name in parse_as(_SplitNames, read_bytes(place / _SPLITS)).splits]
        except (OSError, DocumentError):
            return [""]
    return [""]
