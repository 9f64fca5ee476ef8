"""The local engine: decoding, computing and writing overlap; each is timed."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import numpy as np

from alignrec.extractors.contract import Embeddings, Extractor
from alignrec.extractors.errors import RejectedError
from alignrec.extractors.parallel import compute_pool
from alignrec.pipeline.runner.shards import Shard, ShardResult

Load = Callable[[], Any]
_HALF_MAX = float(np.finfo(np.float16).max)


@dataclass
class Timing:
    """Seconds that an extraction spent.

    Attributes:
        reading: reading and decoding, summed over the workers.
        computing: in the model, summed over the batches that run side by side.
        writing: writing shards.
        no_input: standing still because no input was ready.
        no_result: standing still because the model was busy.
        wall: from beginning to end.
    """

    reading: float = 0.0
    computing: float = 0.0
    writing: float = 0.0
    no_input: float = 0.0
    no_result: float = 0.0
    wall: float = 0.0

    @property
    def bottleneck(self) -> str:
        """What to speed up first."""
        return "reading" if self.no_input > self.no_result else "computing"


@dataclass(frozen=True)
class _Prepared:
    value: Any
    seconds: float
    rejection: RejectedError | None = None


@dataclass(frozen=True)
class _Batch:
    """A batch under way: where its vectors go. Without a future, the mark of its shard's end."""

    shard: Shard
    result: ShardResult
    positions: Sequence[int] = ()
    future: Future[tuple[Embeddings, float]] | None = None


def extract_shards(
    shards: Sequence[Shard],
    load: Callable[[Shard], Iterable[Load]],
    extractor: Extractor,
    save: Callable[[Shard, ShardResult], None],
    *,
    batch_size: int,
    tokens: bool = False,
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
        tokens: keep token sequences too.
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
                yield partial(_prepare, extractor, fetch)

    with ExitStack() as stack:
        writer = stack.enter_context(ThreadPoolExecutor(1))
        pool = ThreadPoolExecutor(count) if count else None
        if pool is not None:
            stack.callback(pool.shutdown, cancel_futures=True)
        compute, at_once = stack.enter_context(compute_pool(extractor))
        prepared = _in_order(tasks(), pool, window=4 * batch_size * at_once)
        under_way: deque[_Batch] = deque()
        written: Future[None] | None = None

        def settle(limit: int) -> None:
            """Take in results, oldest first, until at most `limit` batches are under way."""
            nonlocal written
            while len(under_way) > limit:
                batch = under_way.popleft()
                if batch.future is not None:
                    _take_in(batch, timing)
                    advance(len(batch.positions))
                    continue
                if written is not None:
                    written.result()
                written = writer.submit(_timed_save, save, batch, timing)

        for batch in _batches(shards, prepared, extractor, batch_size, tokens, compute, timing):
            under_way.append(batch)
            settle(2 * at_once)
        settle(0)
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


def _batches(
    shards: Sequence[Shard],
    results: Iterator[_Prepared],
    extractor: Extractor,
    batch_size: int,
    tokens: bool,
    compute: Executor,
    timing: Timing,
) -> Iterator[_Batch]:
    """Batches as they are handed to the model, and after those of a shard the mark of its end."""
    for shard in shards:
        size = len(shard.inputs)
        ids = [item.item_id for item in shard.inputs]
        vectors = np.zeros((size, extractor.card.dim), dtype=np.float32)
        nothing = np.zeros((0, extractor.card.token_dim), dtype=np.float16)
        result = ShardResult(ids, vectors, [None] * size, [None] * size, [nothing] * size if tokens else None)
        # Texts are sorted by length, so a shard's are all prepared first; pictures go as they come.
        at_once = size if extractor.card.modality == "text" else batch_size
        for start in range(0, size, at_once):
            waited = time.perf_counter()
            prepared = list(islice(results, min(at_once, size - start)))
            timing.no_input += time.perf_counter() - waited
            timing.reading += sum(one.seconds for one in prepared)
            usable = []
            for position, one in enumerate(prepared, start=start):
                if one.rejection is None:
                    usable.append((position, one.value))
                else:
                    result.reasons[position] = one.rejection.reason
                    result.details[position] = one.rejection.detail
            usable.sort(key=lambda pair: extractor.length(pair[1]))
            for first in range(0, len(usable), batch_size):
                positions, values = zip(*usable[first : first + batch_size], strict=True)
                future = compute.submit(_timed_embed, extractor, values, tokens)
                yield _Batch(shard, result, positions, future)
        yield _Batch(shard, result)


def _timed_embed(extractor: Extractor, values: Sequence[Any], tokens: bool) -> tuple[Embeddings, float]:
    started = time.perf_counter()
    embeddings = extractor.embed(values, tokens=tokens)
    return embeddings, time.perf_counter() - started


def _take_in(batch: _Batch, timing: Timing) -> None:
    assert batch.future is not None
    waited = time.perf_counter()
    embeddings, seconds = batch.future.result()
    timing.no_result += time.perf_counter() - waited
    timing.computing += seconds
    result = batch.result
    result.vectors[list(batch.positions)] = embeddings.pooled
    if result.tokens is None:
        return
    assert embeddings.tokens is not None and embeddings.mask is not None
    for position, sequence, real in zip(batch.positions, embeddings.tokens, embeddings.mask, strict=True):
        # Beyond float16's range lie only the outliers that some Transformers grow.
        result.tokens[position] = sequence[real].clip(-_HALF_MAX, _HALF_MAX).astype(np.float16)


def _timed_save(save: Callable[[Shard, ShardResult], None], batch: _Batch, timing: Timing) -> None:
    started = time.perf_counter()
    save(batch.shard, batch.result)
    timing.writing += time.perf_counter() - started
