"""The local engine: decoding, computing and writing overlap; each is timed."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from alignrec.extractors.contract import Extractor
from alignrec.extractors.errors import RejectedError

from .shards import Shard, ShardResult

Load = Callable[[], Any]


@dataclass
class Timing:
    """Seconds that an extraction spent.

    Attributes:
        reading: reading and decoding, summed over the workers.
        computing: in the model.
        writing: writing shards.
        waiting: computing stood still because no input was ready.
        wall: from beginning to end.
    """

    reading: float = 0.0
    computing: float = 0.0
    writing: float = 0.0
    waiting: float = 0.0
    wall: float = 0.0

    @property
    def bottleneck(self) -> str:
        """What to speed up first."""
        return "reading" if self.waiting > self.computing else "computing"


@dataclass(frozen=True)
class _Prepared:
    value: Any
    seconds: float
    rejection: RejectedError | None = None


def extract_shards(
    shards: Sequence[Shard],
    load: Callable[[Shard], Iterable[Load]],
    extractor: Extractor,
    save: Callable[[Shard, ShardResult], None],
    *,
    batch_size: int,
    workers: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> Timing:
    """Embed shards one after the other, while workers prepare what comes next.

    Args:
        shards: what to do.
        load: for a shard, one call an input that gives the raw picture or text; called ahead of time.
        extractor: the model.
        save: keeps a result; called in order, in a thread of its own.
        batch_size: items a batch; a batch never crosses a shard.
        workers: threads that read and decode, 0 for none; default one a core.
        advance: told how many inputs are done.

    Raises:
        Whatever `load`, the model or `save` raise, except that a `RejectedError` rejects its input alone.
    """
    timing, started = Timing(), time.perf_counter()
    count = os.cpu_count() or 1 if workers is None else workers

    def tasks() -> Iterator[Callable[[], _Prepared]]:
        for shard in shards:
            for fetch in load(shard):
                yield lambda fetch=fetch: _prepare(extractor, fetch)  # type: ignore[misc]

    with ExitStack() as stack:
        writer = stack.enter_context(ThreadPoolExecutor(1))
        pool = ThreadPoolExecutor(count) if count else None
        if pool is not None:
            stack.callback(pool.shutdown, cancel_futures=True)
        results = _in_order(tasks(), pool, window=4 * batch_size)
        written: Future[None] | None = None
        for shard in shards:
            result = _embed_shard(shard, results, extractor, batch_size, timing, advance)
            if written is not None:
                written.result()
            written = writer.submit(_timed_save, save, shard, result, timing)
        if written is not None:
            written.result()
    timing.wall = time.perf_counter() - started
    return timing


def _prepare(extractor: Extractor, fetch: Load) -> _Prepared:
    started = time.perf_counter()
    try:
        value = extractor.prepare(fetch())
    except RejectedError as error:
        return _Prepared(None, time.perf_counter() - started, error)
    return _Prepared(value, time.perf_counter() - started)


def _in_order(
    tasks: Iterable[Callable[[], _Prepared]], pool: Executor | None, window: int
) -> Iterator[_Prepared]:
    """Results in the order of the tasks, at most `window` of them under way or waiting."""
    if pool is None:
        for task in tasks:
            yield task()
        return
    ahead: deque[Future[_Prepared]] = deque()
    for task in tasks:
        ahead.append(pool.submit(task))
        if len(ahead) >= window:
            yield ahead.popleft().result()
    while ahead:
        yield ahead.popleft().result()


def _embed_shard(
    shard: Shard,
    results: Iterator[_Prepared],
    extractor: Extractor,
    batch_size: int,
    timing: Timing,
    advance: Callable[[int], None],
) -> ShardResult:
    size = len(shard.inputs)
    vectors = np.zeros((size, extractor.card.dim), dtype=np.float32)
    reasons: list[str | None] = [None] * size
    details: list[str | None] = [None] * size
    # Texts are sorted by length, so a shard's are all prepared first; pictures go as they come.
    at_once = size if extractor.card.modality == "text" else batch_size
    for start in range(0, size, at_once):
        waited = time.perf_counter()
        prepared = list(islice(results, min(at_once, size - start)))
        timing.waiting += time.perf_counter() - waited
        timing.reading += sum(one.seconds for one in prepared)
        usable = []
        for position, one in enumerate(prepared, start=start):
            if one.rejection is None:
                usable.append((position, one.value))
            else:
                reasons[position], details[position] = one.rejection.reason, one.rejection.detail
        usable.sort(key=lambda pair: extractor.length(pair[1]))
        computed = time.perf_counter()
        for first in range(0, len(usable), batch_size):
            positions, values = zip(*usable[first : first + batch_size], strict=True)
            vectors[list(positions)] = extractor.embed(values).pooled
        timing.computing += time.perf_counter() - computed
        advance(len(prepared))
    return ShardResult([item.item_id for item in shard.inputs], vectors, reasons, details)


def _timed_save(
    save: Callable[[Shard, ShardResult], None], shard: Shard, result: ShardResult, timing: Timing
) -> None:
    started = time.perf_counter()
    save(shard, result)
    timing.writing += time.perf_counter() - started
