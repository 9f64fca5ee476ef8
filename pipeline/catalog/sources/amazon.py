"""Amazon Reviews, the editions of 2014, 2018 and 2023: reviews and metadata in JSON Lines, gzipped or not.

2014: http://jmcauley.ucsd.edu/data/amazon/links.html (its metadata are Python literals, not JSON), 2018:
https://nijianmo.github.io/amazon/, 2023: https://amazon-reviews-2023.github.io/.
"""

from __future__ import annotations

import ast
import html
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from alignrec.core.display import listed
from alignrec.core.vocabulary import IMAGE, TEXT
from alignrec.pipeline.catalog.files import read_lines
from alignrec.pipeline.catalog.sources.folder import files_below, picture_folder, picture_stem, pictures_by_id
from alignrec.pipeline.catalog.sources.source import Draft, Source
from alignrec.pipeline.catalog.tables import Table, table_of_rows
from alignrec.pipeline.catalog.values import DEEPEST, Row, check_depth
from alignrec.pipeline.errors import CatalogError

ITEM_COLUMNS = ("item_id", "title", "brand", "categories", "description", "features", IMAGE)
REVIEW_COLUMNS = ("user_id", "item_id", "rating", "timestamp")


@dataclass(frozen=True)
class Layout:
    """Where an edition keeps what.

    Attributes:
        item: key of the item's id, in both files.
        user, rating, time: keys of a review.
        per_second: units of `time` in a second.
        item_keys: of the metadata, by our columns.
        picture: gives an item's picture URL, or None.
    """

    item: str
    user: str
    rating: str
    time: str
    per_second: int
    item_keys: Mapping[str, str]
    picture: Callable[[Row], str | None]


def _first_url(*keys: str) -> Callable[[Row], str | None]:
    """The first URL under any of the keys, the earlier key first."""

    def find(row: Row) -> str | None:
        for key in keys:
            value = row.get(key)
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, str) and one.strip():
                    return one.strip()
        return None

    return find


def _picture_2023(row: Row) -> str | None:
    """The main picture's largest size; a list of objects in the files, an object of lists on the Hub."""
    images = row.get("images") or []
    if isinstance(images, dict):
        names = list(images)
        images = [dict(zip(names, sizes, strict=True)) for sizes in zip(*images.values(), strict=True)]
    images = sorted(images, key=lambda image: image.get("variant") != "MAIN")
    urls = (image.get(size) for image in images for size in ("hi_res", "large", "thumb"))
    return next((url for url in urls if url), None)


_KEYS = {"title": "title", "brand": "brand", "categories": "category", "description": "description"}
LAYOUTS: Mapping[str, Layout] = {
    "2014": Layout(
        *("asin", "reviewerID", "overall", "unixReviewTime", 1),
        {**_KEYS, "categories": "categories"},
        _first_url("imUrl"),
    ),
    "2018": Layout(
        *("asin", "reviewerID", "overall", "unixReviewTime", 1),
        {**_KEYS, "features": "feature"},
        _first_url("imageURLHighRes", "imageURL", "image"),
    ),
    "2023": Layout(
        *("parent_asin", "user_id", "rating", "timestamp", 1000),
        {**_KEYS, "brand": "store", "categories": "categories", "features": "features"},
        _picture_2023,
    ),
}


def open_items(file: Path, pictures: Path, *, layout: Layout) -> Table:
    """The metadata file; `image` is `<id>.jpg` or the like where the folder has it, else the URL."""

    def records() -> Iterator[Row]:
        own = pictures_by_id(pictures)
        for row in read_objects(file, layout.item):
            item_id = row[layout.item]
            columns = {column: _plain(row.get(key)) for column, key in layout.item_keys.items()}
            picture = own.get(picture_stem(str(item_id))) or layout.picture(row)
            yield {"item_id": item_id, **columns, IMAGE: picture}

    return table_of_rows(str(file), ITEM_COLUMNS, records)


def open_interactions(file: Path, *, layout: Layout) -> Table:
    """The reviews file, a review an interaction."""

    def records() -> Iterator[Row]:
        for row in read_objects(file, layout.item, layout.user):
            time = row.get(layout.time)
            yield {
                "user_id": row[layout.user],
                "item_id": row[layout.item],
                "rating": row.get(layout.rating),
                "timestamp": time // layout.per_second if isinstance(time, int) else time,
            }

    return table_of_rows(str(file), REVIEW_COLUMNS, records)


def read_objects(file: Path, *needed: str) -> Iterator[Row]:
    """The objects of a file, one a line.

    Raises:
        CatalogError: a line is none, or lacks a key of `needed`; with the line.
    """
    for number, line in read_lines(file):
        row = _parse(line, f"{file}, line {number}")
        missing = [key for key in needed if key not in row]
        if missing:
            raise CatalogError(
                f"{file}, line {number}: no {' and no '.join(map(repr, missing))}; it has "
                f"{listed(list(row))}. Is it the file and the edition that the config names?"
            )
        yield row


def _parse(line: bytes, where: str) -> Row:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise CatalogError(f"{where}: not UTF-8 ({error}).") from None
    try:
        try:
            row = json.loads(text)
        except ValueError as error:
            try:
                row = ast.literal_eval(text)
            except (ValueError, TypeError, SyntaxError, MemoryError):
                raise CatalogError(f"{where}: not a JSON object ({error}).") from None
        check_depth(row, text)
    except RecursionError:
        raise CatalogError(f"{where}: its values are nested more than {DEEPEST} levels deep.") from None
    if not isinstance(row, dict):
        raise CatalogError(f"{where}: expected a JSON object, got {text[:40]!r}.")
    return row


def _plain(value: Any) -> Any:
    """Texts without HTML entities; nested lists made one, each text once."""
    if isinstance(value, str):
        return html.unescape(value)
    if isinstance(value, list):
        flat = [one for part in value for one in (_plain(part) if isinstance(part, list) else [_plain(part)])]
        return list(dict.fromkeys(str(one) for one in flat if one))
    return value


def detect(folder: Path, *, edition: str) -> Draft | None:
    """What a config says of a folder with this edition's metadata and reviews."""
    layout, scheme = LAYOUTS[edition], f"amazon-{edition}"
    files = [p for p in files_below(folder) if any(s in p.suffixes for s in (".json", ".jsonl"))]
    reviews = next((p for p in files if {layout.user, layout.item} <= _keys(p)), None)
    metadata = next((p for p in files if p != reviews and layout.item in _keys(p)), None)
    if metadata is None or (reviews is None and not metadata.name.startswith("meta")):
        return None
    if edition == "2018" and "imUrl" in _keys(metadata):
        return None  # 2014 has the same keys but this one
    items = {
        "path": f"{scheme}:{metadata.relative_to(folder).as_posix()}",
        TEXT: "{title}. {brand}. {categories}. {description}",
    }
    pictures = picture_folder(folder)
    items |= {"image_root": pictures} if pictures else {}
    interactions: dict[str, Any] = {}
    if reviews is not None:
        interactions = {"path": f"{scheme}:{reviews.relative_to(folder).as_posix()}"}
        interactions |= {"rating": "rating", "timestamp": "timestamp", "min_rating": 4}
    note = "`alignrec download` fetches pictures to where the metadata are, or into catalog.items.image_root."
    return Draft(items, interactions, notes=[note])


def _keys(file: Path) -> set[str]:
    """The keys of a JSON Lines file's first objects; none where it is something else."""
    try:
        return {key for row in islice(read_objects(file), 50) for key in row}
    except CatalogError:
        return set()


def _source(edition: str) -> Source:
    layout = LAYOUTS[edition]
    return Source(
        f"amazon-{edition}",
        partial(open_items, layout=layout),
        partial(open_interactions, layout=layout),
        partial(detect, edition=edition),
    )


AMAZON_2023 = _source("2023")
AMAZON_2018 = _source("2018")
AMAZON_2014 = _source("2014")
