"""`alignrec init`: look at a folder and say which tables, columns and pictures a run would take from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from alignrec.pipeline.catalog.image_refs import is_url
from alignrec.pipeline.catalog.sources import amazon, movielens, open_interactions, open_items
from alignrec.pipeline.catalog.sources.lines import PICTURES
from alignrec.pipeline.catalog.tables import OPENERS, Row, Table
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


@dataclass(frozen=True)
class Draft:
    """What `init` found, as the sections of a config; empty where there is nothing to say.

    Attributes:
        items, interactions, split, extract: keys and values, paths relative to the config's folder.
        notes: what a person should look at.
    """

    items: dict[str, Any]
    interactions: dict[str, Any] = field(default_factory=dict)
    split: dict[str, Any] = field(default_factory=dict)
    extract: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def look(folder: Path) -> Draft:
    """What a run could take from a folder.

    Raises:
        ConfigError: there is no such folder, or no items table in it.
    """
    if not folder.is_dir():
        raise ConfigError(f"there is no folder {folder}: name the one that holds the catalogue")
    for known in (_mmrec, _movielens, _amazon):
        draft = known(folder)
        if draft is not None:
            return draft
    return _tables(folder)


def _files(folder: Path) -> list[Path]:
    """Files in a folder and one level below, nearest first."""
    found = [p for p in (*folder.glob("*"), *folder.glob("*/*")) if p.is_file() and p.name[0] != "."]
    return sorted(found, key=lambda p: (len(p.parts), p.name))


def _mmrec(folder: Path) -> Draft | None:
    inter = next((p for p in _files(folder) if p.suffix == ".inter"), None)
    if inter is None or not (inter.parent / "image_feat.npy").is_file():
        return None
    here = inter.parent.relative_to(folder).as_posix()
    place = {"path": f"mmrec:{here}"}
    sides = {side: inter.parent / f"{side}_feat.npy" for side in ("image", "text")}
    there = {side: f"given:{p.relative_to(folder).as_posix()}" for side, p in sides.items() if p.is_file()}
    maps = {"items": inter.parent / "i_id_mapping.csv", "users": inter.parent / "u_id_mapping.csv"}
    split: dict[str, Any] = {}
    if all(path.is_file() for path in maps.values()):
        split = {"method": "mmrec", "path": inter.relative_to(folder).as_posix()}
        split |= {key: path.relative_to(folder).as_posix() for key, path in maps.items()}
    text = "{text}" if "text" in there else None
    known = {"rating": "rating", "timestamp": "timestamp"}
    header = inter.open(encoding="utf-8").readline().split()
    return Draft(
        place | {"text": text},
        place | {key: name for key, name in known.items() if name in header},
        split,
        there,
        ["The features are somebody else's: the run begins at pretraining."],
    )


def _movielens(folder: Path) -> Draft | None:
    files = {p.name: p for p in reversed(_files(folder))}
    movies = next((files[name] for name in movielens.MOVIES if name in files), None)
    if movies is None:
        return None
    ratings = next((files[name] for name in movielens.RATINGS if name in files), None)
    items: dict[str, Any] = {"path": f"movielens:{movies.relative_to(folder).as_posix()}"}
    items["text"] = "{title} ({year}). {genres}."
    posters = _picture_folder(folder)
    items |= {"image_root": posters} if posters else {"image": None}
    return Draft(items, _rated("movielens", ratings, folder), notes=[] if posters else [_NO_PICTURES])


def _amazon(folder: Path) -> Draft | None:
    files = [p for p in _files(folder) if any(s in p.suffixes for s in (".json", ".jsonl"))]
    for edition in ("2023", "2018", "2014"):
        layout, scheme = amazon.LAYOUTS[edition], f"amazon-{edition}"
        reviews = next((p for p in files if {layout.user, layout.item} <= _keys(p)), None)
        meta = next((p for p in files if p != reviews and layout.item in _keys(p)), None)
        if meta is None or (reviews is None and not meta.name.startswith("meta")):
            continue
        if edition == "2018" and any("imUrl" in row for row in _rows(meta)):
            continue  # 2014 has the same keys but this one
        items: dict[str, Any] = {"path": f"{scheme}:{meta.relative_to(folder).as_posix()}"}
        items["text"] = "{title}. {brand}. {categories}. {description}"
        items["image_root"] = _picture_folder(folder) or "images"
        note = "Make the folder images, then let `alignrec download` fetch the pictures into it."
        return Draft(items, _rated(scheme, reviews, folder), notes=[note])
    return None


def _rated(scheme: str, ratings: Path | None, folder: Path) -> dict[str, Any]:
    if ratings is None:
        return {}
    section = {"path": f"{scheme}:{ratings.relative_to(folder).as_posix()}"}
    return section | {"rating": "rating", "timestamp": "timestamp", "min_rating": 4}


def _rows(file: Path) -> Iterator[Row]:
    """The first objects of a JSON Lines file; none where it is something else."""
    try:
        yield from islice(amazon.read_objects(file), 50)
    except CatalogError:
        return


def _keys(file: Path) -> set[str]:
    return {key for row in _rows(file) for key in row}


_NO_PICTURES = "No pictures were found: image is null, and the run goes by text alone."


def _picture_folder(folder: Path) -> str | None:
    """The folder below `folder` that holds most pictures."""
    counts = {
        place: sum(p.suffix.lower() in PICTURES for p in place.iterdir())
        for place in (folder, *(p for p in sorted(folder.iterdir()) if p.is_dir()))
    }
    best = max(counts, key=lambda place: counts[place])
    return best.relative_to(folder).as_posix() if counts[best] else None


def _tables(folder: Path) -> Draft:
    """Ordinary tables: who has users is interactions, who has texts or pictures is items."""
    opened = [(file, table) for file in _files(folder) if (table := _open(file)) is not None]
    logs = [(f, t) for f, t in opened if _pick(t.columns, USER) and _pick(t.columns, ITEM)]
    stock = [(f, t) for f, t in opened if (f, t) not in logs and _pick(t.columns, ITEM)]
    stock.sort(key=lambda pair: -len(_texts(pair[1].columns)))
    if not stock:
        seen = ", ".join(f.name for f, _ in opened) or "none"
        raise ConfigError(
            f"{folder} has no table of items: expected a column such as {', '.join(ITEM[:4])} in a table of "
            f"{', '.join(OPENERS)}. Tables seen: {seen}"
        )
    file, table = stock[0]
    items, notes = _items(folder, file, table)
    if not logs:
        notes.append("No table of interactions was found: the run goes as far as pretraining.")
        return Draft(items, notes=notes)
    return Draft(items, _interactions(folder, *logs[0], items["id"]), notes=notes)


def _open(file: Path) -> Table | None:
    if not any(suffix.lower() in OPENERS for suffix in file.suffixes[-2:]):
        return None
    try:
        return open_items(str(file), file.parent)
    except CatalogError:
        return None


def _items(folder: Path, file: Path, table: Table) -> tuple[dict[str, Any], list[str]]:
    section: dict[str, Any] = {"path": file.relative_to(folder).as_posix(), "id": _pick(table.columns, ITEM)}
    notes = []
    image = _pick(table.columns, IMAGE)
    section["image"] = image
    if image is None:
        notes.append(_NO_PICTURES)
    else:
        values = [row[image] for row in table.rows([image], 0, SAMPLE)]
        root = _root(folder, file.parent, [v for v in values if isinstance(v, str) and v])
        section |= {"image_root": root} if root else {}
        if any(isinstance(value, str) and is_url(value) for value in values):
            notes.append("Pictures are URLs: `alignrec download` fetches them before the run.")
    texts = _texts(table.columns)
    section["text"] = ". ".join(f"{{{column}}}" for column in texts) or None
    if not texts:
        notes.append("No column looks like a text: text is null.")
    return section, notes


def _root(folder: Path, beside: Path, values: Sequence[str]) -> str | None:
    """Where most pictures are, if that is not beside the table."""
    places = [beside, folder, *(p for p in sorted(folder.iterdir()) if p.is_dir())]
    hits = {place: sum((place / value).is_file() for value in values) for place in places}
    best = max(hits, key=lambda place: hits[place], default=beside)
    if not hits[best] or hits[best] == hits[beside]:
        return None
    return best.relative_to(folder).as_posix()


def _interactions(folder: Path, file: Path, table: Table, item_id: str) -> dict[str, Any]:
    columns = table.columns
    item = item_id if item_id in columns else _pick(columns, ITEM)
    section: dict[str, Any] = {"path": file.relative_to(folder).as_posix(), "user": _pick(columns, USER)}
    section["item"] = item
    rows = list(open_interactions(str(file)).rows(columns, 0, SAMPLE))
    for key, names in (("rating", RATING), ("timestamp", TIME)):
        column = _pick(columns, names)
        if column is not None and all(_is_number(row[column]) for row in rows):
            section[key] = column
    rating = section.get("rating")
    if rating and max((float(row[rating]) for row in rows), default=0) == 5:
        section["min_rating"] = 4
    return section


def _pick(columns: Sequence[str], names: Sequence[str]) -> str | None:
    """The column with the likeliest of some names."""
    plain = {column.lower().replace("_", ""): column for column in reversed(columns)}
    return next((plain[name.replace("_", "")] for name in names if name.replace("_", "") in plain), None)


def _texts(columns: Sequence[str]) -> list[str]:
    found = (_pick(columns, [name]) for name in TEXT)
    return [column for column in found if column is not None]


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
