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
from numpy.typing import NDArray

from alignrec.core.plugins import load_plugins
from alignrec.extractors.contract import Embeddings, Extractor
from alignrec.extractors.errors import ExtractorError, RejectedError
from alignrec.extractors.inputs.images import REDUCED
from alignrec.extractors.precision import BFLOAT16, FLOAT32, has_bfloat16
from alignrec.extractors.registry import load_extractor
from alignrec.pipeline.engines.base import Engine, LoadedModel, Model, Timing, Unit, silently
from alignrec.pipeline.engines.inputs import InputReader, Load
from alignrec.pipeline.runner.console import Advance
from alignrec.pipeline.runner.shards import ShardResult, write_shard

_HALF_MAX = float(np.finfo(np.float16).max)


class LocalEngine(Engine):
    """This machine: decoding, computing and writing overlap, and each is timed."""

    name = "local"

    def __init__(self) -> None:
        """Nothing is loaded yet."""
        self._loaded: dict[tuple[str, str, str, str], Extractor] = {}

    def load(self, model: Model, item: Any = None) -> LoadedModel:
        """See `Engine.load`."""
        extractor = self._extractor(model)
        tokens = 0
        if item is not None:
            mask = extractor.embed([extractor.prepare(item)], tokens=True).mask
            assert mask is not None
            tokens = int(mask.sum())
        return LoadedModel(extractor.card, extractor.device, extractor.batch_size, tokens)

    def run(
        self,
        units: Sequence[Unit],
        *,
        workers: int | None = None,
        advance: Advance = silently,
    ) -> Timing:
        """See `Engine.run`."""
        return embed_units(units, self._extractor(units[0].model), workers=workers, advance=advance)

    def close(self) -> None:
        """Let go of the models."""
        self._loaded.clear()

    def _extractor(self, model: Model) -> Extractor:
        """A model, loaded once; also by the device that `auto` came to."""
        precision = model.identity.precision
        key = (model.name, model.modality.name, precision, model.device)
        if key not in self._loaded:
            load_plugins(model.plugins)
            if precision == BFLOAT16 and not model.emulate and not has_bfloat16(model.device):
                raise ExtractorError(
                    f"{model.name}: this extraction computes in {precision}, for which this machine's "
                    "processor has no instructions: go on where there are, or extract anew with "
                    f"-o extract.precision={FLOAT32}"
                )
            loaded = load_extractor(model.name, model.modality, device=model.device, precision=precision)
            if loaded.card.weights_sha256 != model.identity.weights_sha256:
                raise ExtractorError(
                    f"{model.name}: its weights have SHA-256 {loaded.card.weights_sha256}, expected "
                    f"{model.identity.weights_sha256}: they changed since the run was planned; run it again"
                )
            self._loaded[key] = self._loaded[(*key[:3], loaded.device)] = loaded
        return self._loaded[key]


@dataclass(frozen=True)
class _Prepared:
    value: Any
    seconds: float
    rejection: RejectedError | None = None


@dataclass(frozen=True)
class _Batch:
    """A batch under way: where its vectors go. Without a future, the mark of its unit's end."""

    unit: Unit
    result: ShardResult
    positions: Sequence[int] = ()
    future: Future[tuple[Embeddings, float]] | None = None


def embed_units(
    units: Sequence[Unit],
    extractor: Extractor,
    *,
    workers: int | None = None,
    advance: Advance = silently,
) -> Timing:
    """Embed units one after the other, while workers prepare what comes next.

    Args:
        units: what to do, all of one batch size; their results are written in order, in a thread of its own.
        extractor: their model.
        workers: see `Engine.run`.
        advance: see `Engine.run`.

    Raises:
        See `Engine.run`.
    """
    from alignrec.extractors.parallel import compute_pool  # loads torch

    timing, started = Timing(), time.perf_counter()
    count = os.cpu_count() or 1 if workers is None else workers
    side = extractor.picture_side if units[0].model.identity.decoding == REDUCED else 0
    batch_size, read = units[0].batch_size, InputReader(units, side)

    def tasks() -> Iterator[Callable[[], _Prepared]]:
        for unit in units:
            for fetch in read(unit):
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
                    advance(len(batch.positions), timing.note)
                    continue
                if written is not None:
                    written.result()
                written = writer.submit(_timed_save, batch, timing)

        for batch in _batches(units, prepared, extractor, compute, timing):
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
    units: Sequence[Unit],
    results: Iterator[_Prepared],
    extractor: Extractor,
    compute: Executor,
    timing: Timing,
) -> Iterator[_Batch]:
    """Batches as they are handed to the model, and after those of a unit the mark of its end."""
    for unit in units:
        size, batch_size, tokens = len(unit.shard.inputs), unit.batch_size, unit.tokens
        ids = [item.item_id for item in unit.shard.inputs]
        vectors = np.zeros((size, extractor.card.dim), dtype=np.float32)
        nothing = np.zeros((0, extractor.card.token_dim), dtype=np.float16)
        result = ShardResult(ids, vectors, [None] * size, [None] * size, [nothing] * size if tokens else None)
        # What is sorted by length is all prepared first; the rest goes as it comes.
        at_once = size if unit.model.modality.kind.by_length else batch_size
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
                yield _Batch(unit, result, positions, future)
        yield _Batch(unit, result)


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
        result.tokens[position] = kept_tokens(sequence, real)


def kept_tokens(sequence: NDArray[np.float32], real: NDArray[np.bool_]) -> NDArray[np.float16]:
    """What is kept of an item's tokens, float32 `[t, d]`: those marked in `real`, bool `[t]`, in float16.

    Beyond float16's range lie only the outliers that some Transformers grow.
    """
    return sequence[real].clip(-_HALF_MAX, _HALF_MAX).astype(np.float16)


def _timed_save(batch: _Batch, timing: Timing) -> None:
    started = time.perf_counter()
    write_shard(batch.unit.path, batch.result)
    timing.writing += time.perf_counter() - started


ENGINE = LocalEngine()
