"""MovieLens, from 100K to the latest (https://grouplens.org/datasets/movielens/), with a folder of posters.

Movies: `movies.csv`, `movies.dat` (1M, 10M) or `u.item` (100K); ratings: `ratings.csv`, `ratings.dat` or
`u.data`. A poster is `<movie id>.jpg` or the like in the folder of pictures.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from alignrec.core.vocabulary import IMAGE, TEXT
from alignrec.pipeline.catalog.files import read_lines
from alignrec.pipeline.catalog.sources.folder import (
    NO_PICTURES,
    files_below,
    picture_folder,
    picture_stem,
    pictures_by_id,
)
from alignrec.pipeline.catalog.sources.source import Draft, Source
from alignrec.pipeline.catalog.tables import Table, table_of_rows
from alignrec.pipeline.catalog.values import Row
from alignrec.pipeline.errors import CatalogError

ITEM_COLUMNS = ("item_id", "title", "year", "genres", IMAGE)
RATING_COLUMNS = ("user_id", "item_id", "rating", "timestamp")
# Of u.item's last columns, as the dataset's u.genre names them.
GENRES = (
    *("unknown", "Action", "Adventure", "Animation", "Children's", "Comedy", "Crime", "Documentary"),
    *("Drama", "Fantasy", "Film-Noir", "Horror", "Musical", "Mystery"),
    *("Romance", "Sci-Fi", "Thriller", "War", "Western"),
)
_YEAR = re.compile(r"\s*\((\d{4})\)\s*$")


@dataclass(frozen=True)
class Layout:
    """How an edition's file is written.

    Attributes:
        separator: between fields; "," for true CSV with a header.
        encoding: of the file.
        fields: the number of fields.
    """

    separator: str
    encoding: str
    fields: int


MOVIES: Mapping[str, Layout] = {
    "movies.csv": Layout(",", "utf-8-sig", 3),
    "movies.dat": Layout("::", "latin-1", 3),
    "u.item": Layout("|", "latin-1", 5 + len(GENRES)),
}
RATINGS: Mapping[str, Layout] = {
    "ratings.csv": Layout(",", "utf-8-sig", 4),
    "ratings.dat": Layout("::", "latin-1", 4),
    "u.data": Layout("\t", "latin-1", 4),
}
HEADERS = {"movies.csv": ["movieId", "title", "genres"]}
HEADERS |= {"ratings.csv": ["userId", "movieId", "rating", "timestamp"]}


def open_items(file: Path, pictures: Path) -> Table:
    """The movies file: title without its year, genres as a list, and the poster where there is one."""
    layout = _layout(file, MOVIES)

    def records() -> Iterator[Row]:
        posters = pictures_by_id(pictures)
        for fields in _records(file, layout):
            item_id, title = fields[:2]
            year = _YEAR.search(title)
            yield {
                "item_id": item_id,
                "title": _YEAR.sub("", title),
                "year": year.group(1) if year else None,
                "genres": _genres(fields),
                IMAGE: posters.get(picture_stem(item_id)),
            }

    return table_of_rows(str(file), ITEM_COLUMNS, records)


def open_interactions(file: Path) -> Table:
    """The ratings file."""
    layout = _layout(file, RATINGS)
    return table_of_rows(
        str(file),
        RATING_COLUMNS,
        lambda: (dict(zip(RATING_COLUMNS, fields, strict=True)) for fields in _records(file, layout)),
    )


def _genres(fields: list[str]) -> list[str]:
    """Names from a list of names, or from u.item's column of flags for each."""
    if len(fields) == 3:
        return [] if fields[2] == "(no genres listed)" else fields[2].split("|")
    return [name for name, flag in zip(GENRES, fields[-len(GENRES) :], strict=True) if flag == "1"]


def _layout(file: Path, known: Mapping[str, Layout]) -> Layout:
    if file.name not in known:
        raise CatalogError(f"{file}: MovieLens calls this file {', '.join(known)}; name one of them.")
    return known[file.name]


def _records(file: Path, layout: Layout) -> Iterator[list[str]]:
    header = HEADERS.get(file.name)
    for number, line in read_lines(file):
        where = f"{file}, line {number}"
        try:
            text = line.decode(layout.encoding)
        except UnicodeDecodeError as error:
            raise CatalogError(f"{where}: not UTF-8 ({error}).") from None
        try:
            fields = next(csv.reader([text]), []) if header else text.split(layout.separator)
        except csv.Error as error:
            raise CatalogError(f"{where}: {error}.") from None
        if header and number == 1:
            if fields != header:
                raise CatalogError(f"{where}: expected the header {','.join(header)}, got {text[:80]!r}.")
            continue
        if len(fields) != layout.fields:
            raise CatalogError(
                f"{where}: expected {layout.fields} fields separated by {layout.separator!r}, got "
                f"{len(fields)}: {text[:80]!r}."
            )
        yield fields


def detect(folder: Path) -> Draft | None:
    """What a config says of a folder with movies, and perhaps ratings and posters."""
    files = {p.name: p for p in reversed(files_below(folder))}
    movies = next((files[name] for name in MOVIES if name in files), None)
    if movies is None:
        return None
    items: dict[str, Any] = {"path": f"{MOVIELENS.name}:{movies.relative_to(folder).as_posix()}"}
    items[TEXT] = "{title} ({year}). {genres}."
    posters = picture_folder(folder)
    items |= {"image_root": posters} if posters else {IMAGE: None}
    interactions: dict[str, Any] = {}
    ratings = next((files[name] for name in RATINGS if name in files), None)
    if ratings is not None:
        interactions = {"path": f"{MOVIELENS.name}:{ratings.relative_to(folder).as_posix()}"}
        interactions |= {"rating": "rating", "timestamp": "timestamp", "min_rating": 4}
    return Draft(items, interactions, notes=[] if posters else [NO_PICTURES])


MOVIELENS = Source("movielens", open_items, open_interactions, detect)
