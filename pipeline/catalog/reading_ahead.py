"""Files below a URL are hashed in threads some rows ahead of their turn, as each takes a round trip."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

from alignrec.pipeline.catalog.contents import Reader
from alignrec.pipeline.catalog.values import Row

THREADS, AHEAD = 16, 256


def read_ahead(
    rows: Iterator[Row], readers: Collection[Reader], wanted: Callable[[Row], bool]
) -> Iterator[Row]:
    """The same rows in the same order, each when its files are hashed.

    Args:
        rows: of the items table.
        readers: of its modalities, whose files are below a URL.
        wanted: tells of a row whether it is read.

    Raises:
        CatalogError, NotHereError: see `RemoteFolder.find`.
    """
    waiting: deque[tuple[Row, list[Future[None]]]] = deque()
    with ExitStack() as stack:
        pool = ThreadPoolExecutor(THREADS)
        stack.callback(pool.shutdown, cancel_futures=True)
        for row in rows:
            hashing = [pool.submit(reader.hash_ahead, row) for reader in readers] if wanted(row) else []
            waiting.append((row, hashing))
            if len(waiting) > AHEAD:
                yield _hashed(*waiting.popleft())
        while waiting:
            yield _hashed(*waiting.popleft())


def _hashed(row: Row, hashing: list[Future[None]]) -> Row:
    for future in hashing:
        future.result()
    return row
