"""Fetch the pictures that a catalogue names by URL: in parallel, each once, to where it looks for them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alignrec.core.display import shown
from alignrec.core.files import sweep, write_bytes
from alignrec.pipeline.catalog.image_cells import ImageRefError, is_url, pictures_in
from alignrec.pipeline.catalog.image_refs import downloaded_name
from alignrec.pipeline.catalog.items import image_root
from alignrec.pipeline.catalog.sources.source import open_items
from alignrec.pipeline.commands.safe_http import FetchError, Limits, fetch
from alignrec.pipeline.config.settings import ItemsConfig
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
    sleep: Callable[[float], None] = time.sleep,
) -> Downloaded:
    """Fetch every picture whose URL the items' image column holds and which is not there yet.

    A picture is written whole or not at all, so a stopped download goes on where it was.

    Args:
        items: the table; pictures go into its image root.
        console: where progress goes.
        limits: of each fetch.
        sleep: waits between attempts.

    Raises:
        CatalogError: the table cannot be read, or has no image column, or no URL in it.
    """
    limits = limits or Limits()
    root = image_root(items)
    urls = _urls(items, root)
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


def _urls(items: ItemsConfig, root: Path) -> list[str]:
    """The distinct URLs of the image column, in order."""
    if items.image is None:
        raise CatalogError("catalog.items.image is null: name the column that holds the pictures' URLs")
    table = open_items(items.path, root)
    table.require({"catalog.items.image": items.image})
    urls: dict[str, None] = {}
    others: Counter[str] = Counter()
    for row in table.rows([items.image]):
        cell = row[items.image]
        url = _first_url(cell, root)
        if url is None:
            others["nothing" if cell in (None, "") else shown(cell)] += 1
        else:
            urls[url] = None
    if not urls:
        found = ", ".join(f"{text} ({count:,} ×)" for text, count in others.most_common(3))
        raise CatalogError(
            f"{table.where}: no cell of {items.image!r}, which catalog.items.image names, holds the URL of a "
            f"picture: {others.total():,} rows, with {found or 'nothing'}. Name the column of URLs there; "
            "pictures in files or in the table need no download."
        )
    return list(urls)


def _first_url(cell: Any, root: Path) -> str | None:
    """The URL of the picture that a run reads of a cell."""
    try:
        first = next(iter(pictures_in(cell, root)), None)
    except ImageRefError:
        return None
    return first if isinstance(first, str) and is_url(first) else None


def _patiently(url: str, limits: Limits, sleep: Callable[[float], None]) -> bytes:
    for pause in PAUSES:
        try:
            return fetch(url, limits)
        except FetchError as error:
            if not error.passing:
                raise
            sleep(pause)
    return fetch(url, limits)
