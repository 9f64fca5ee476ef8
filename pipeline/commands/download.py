"""Fetch the pictures and sounds that a catalogue names by URL: in parallel, each once, to where it looks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Container, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from alignrec.core.display import shown
from alignrec.core.files import sweep, write_bytes
from alignrec.extractors.modality import IMAGE, KINDS, PAIR
from alignrec.pipeline.catalog.contents import MOST_PARTS, config_key
from alignrec.pipeline.catalog.file_cells import each_file, is_url
from alignrec.pipeline.catalog.file_refs import downloaded_name
from alignrec.pipeline.catalog.items import image_root, item_ids
from alignrec.pipeline.catalog.sources.source import open_items
from alignrec.pipeline.commands.safe_http import FetchError, Limits, fetch
from alignrec.pipeline.config.catalog import ItemsConfig, ModalityConfig
from alignrec.pipeline.errors import CatalogError
from alignrec.pipeline.runner.console import Console

PAUSES = (1.0, 4.0)  # seconds before the second and the third attempt
WORKERS = 16
_AT_ONCE = 64 * WORKERS  # URLs handed to the workers together


@dataclass
class Downloaded:
    """What became of a catalogue's URLs.

    Attributes:
        folder: where the pictures are.
        fetched: how many came now.
        there: how many were there already.
        failed: why each of the others did not come, by URL.
        reasons: the URLs for each reason.
    """

    folder: Path
    fetched: int = 0
    there: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, list[str]] = field(default_factory=dict)

    def commonest(self) -> list[tuple[str, list[str]]]:
        """The reasons with their URLs, those of most URLs first."""
        return sorted(self.reasons.items(), key=lambda pair: -len(pair[1]))


def download(
    items: ItemsConfig,
    console: Console,
    limits: Limits | None = None,
    *,
    modalities: Mapping[str, ModalityConfig] | None = None,
    only: Container[str] | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Downloaded:
    """Fetch every picture whose URL a column of pictures holds and which is not there yet.

    A picture is written whole or not at all, so a stopped download goes on where it was.

    Args:
        items: the table; pictures go into its image root.
        console: where progress goes.
        limits: of each fetch.
        modalities: those that `catalog.modalities` names, beside the table's own image column.
        only: ids of the items whose pictures are fetched; None for all.
        sleep: waits between attempts.

    Raises:
        CatalogError: the table cannot be read, or has no image column, or no URL in it; or its pictures are
            at a URL together.
    """
    limits = limits or Limits()
    if isinstance(items.image_root, str):
        raise CatalogError(
            f"catalog.items.image_root is {items.image_root}: pictures are read there, and none are fetched; "
            "name a folder to fetch those of URLs into"
        )
    root = image_root(items)
    urls = _urls(items, modalities or {}, root, only)
    sweep(root)
    done = Downloaded(root)
    missing = [url for url in urls if not (root / downloaded_name(url)).is_file()]
    done.there = len(urls) - len(missing)

    def one(url: str) -> FetchError | None:
        try:
            write_bytes(root / downloaded_name(url), _patiently(url, limits, sleep))
        except FetchError as error:
            return error
        return None

    with console.progress("download", len(missing)) as advance, ThreadPoolExecutor(WORKERS) as pool:
        for start in range(0, len(missing), _AT_ONCE):
            some = missing[start : start + _AT_ONCE]
            for url, error in zip(some, pool.map(one, some), strict=True):
                if error is not None:
                    done.failed[url] = str(error)
                    done.reasons.setdefault(error.reason, []).append(url)
                advance(1)
    done.fetched = len(missing) - len(done.failed)
    return done


def _urls(
    items: ItemsConfig,
    modalities: Mapping[str, ModalityConfig],
    root: Path,
    only: Container[str] | None,
) -> list[str]:
    """The distinct URLs of the columns of pictures, in order."""
    short = config_key(IMAGE.name, short=True)
    places = {short: (items.image, 1, IMAGE)} if items.image is not None else {}
    for name, located in modalities.items():
        key = config_key(name, short=False)
        most = 1 if located.type == PAIR.name else MOST_PARTS
        places |= {f"{key} ({column})": (column, most, KINDS[located.type]) for column in located.columns}
    if not places:
        raise CatalogError("catalog.items.image is null: name the column that holds the pictures' URLs")
    table = open_items(items.path, root)
    table.require({key: column for key, (column, *_) in places.items()})
    urls: dict[str, None] = {}
    others: Counter[str] = Counter()
    columns = [column for column, *_ in places.values()]
    if only is not None:
        table.require({"catalog.items.id": items.id})
        columns.append(items.id)
    for row in table.rows(list(dict.fromkeys(columns)), conversions={items.id: item_ids}):
        if only is not None and row[items.id] not in only:
            continue
        for column, most, kind in places.values():
            cell = row[column]
            found = [
                one for one in each_file(cell, root, kind)[:most] if isinstance(one, str) and is_url(one)
            ]
            urls |= dict.fromkeys(found)
            if not found:
                others["nothing" if cell in (None, "") else shown(cell)] += 1
    if not urls:
        found_instead = ", ".join(f"{text} ({count:,} ×)" for text, count in others.most_common(3))
        named = " and ".join(f"{column!r}, which {key} names" for key, (column, *_) in places.items())
        unit = "rows" if len(places) == 1 else "cells"
        raise CatalogError(
            f"{table.where}: no cell of {named}, holds the URL of a picture: {others.total():,} {unit}, with "
            f"{found_instead or 'nothing'}. Name the column of URLs there; pictures in files or in the table "
            "need no download."
        )
    return list(urls)


def _patiently(url: str, limits: Limits, sleep: Callable[[float], None]) -> bytes:
    for pause in PAUSES:
        try:
            return fetch(url, limits)
        except FetchError as error:
            if not error.passing:
                raise
            sleep(pause)
    return fetch(url, limits)
