"""Read who interacted with what, column by column; what cannot be used is listed."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from alignrec.pipeline.catalog.items import STAGE
from alignrec.pipeline.catalog.rejections import Rejection
from alignrec.pipeline.catalog.sources.source import open_interactions
from alignrec.pipeline.catalog.values import id_texts, numbers, rows_of, seconds
from alignrec.pipeline.config.settings import InteractionsConfig
from alignrec.pipeline.errors import CatalogError

SCHEMA = pa.schema(
    [
        ("user_id", pa.string()),
        ("item_id", pa.string()),
        ("rating", pa.float64()),
        ("timestamp", pa.int64()),
    ]
)
# Rows that are checked together: the index of the items is built once for each of these.
_ROWS_AT_ONCE, _MOST_ROWS = 2**18, 2**21


@dataclass(frozen=True)
class Interactions:
    """The usable interactions.

    Attributes:
        table: `user_id: string`, `item_id: string`, `rating: float64` (null where the catalogue has
            none), `timestamp: int64` in Unix seconds (likewise), in the source's order and in as many chunks
            as it was read in; only positives (`min_rating` and more).
        rows: rows of the source.
        rejections: rows that cannot be used; a rating below `min_rating` is no rejection.
        notes: how the source was understood, where that is not plain; for a person.
    """

    table: pa.Table
    rows: int
    rejections: list[Rejection]
    notes: tuple[str, ...] = ()


def read_interactions(config: InteractionsConfig, item_ids: Sequence[str]) -> Interactions:
    """Read the interactions table, on as many threads as Arrow has, a part of it in memory at a time.

    Args:
        config: the table and its columns.
        item_ids: the catalogue's items.

    Raises:
        CatalogError: the table is absent, damaged or empty, lacks a named column, or has no usable row.
    """
    source = open_interactions(config.path)
    names = {key: getattr(config, key) for key in ("user", "item", "rating", "timestamp")}
    names = {key: column for key, column in names.items() if column is not None}
    source.require({f"catalog.interactions.{key}": column for key, column in names.items()})
    known = pa.array(item_ids, pa.string())
    size = max(_ROWS_AT_ONCE, min(4 * len(item_ids), _MOST_ROWS))
    parts: list[pa.RecordBatch] = []
    rejections: list[Rejection] = []
    waiting: deque[Future[tuple[list[pa.RecordBatch], list[Rejection]]]] = deque()

    def collect(most: int) -> None:
        while len(waiting) > most:
            usable, rejected = waiting.popleft().result()
            parts.extend(usable)
            rejections.extend(rejected)

    rows, threads = 0, pa.cpu_count()
    with ThreadPoolExecutor(threads) as pool:
        for group in _grouped(source.batches(list(names.values())), size):
            waiting.append(pool.submit(_check, group, names, config.min_rating, known, rows))
            rows += _rows(group)
            collect(threads)
        collect(0)
    if not rows:
        raise CatalogError(f"{source.where} has no rows: expected interactions.")
    table = pa.Table.from_batches(parts, SCHEMA)
    if not table.num_rows:
        reasons = dict(Counter(rejection.reason for rejection in rejections).most_common())
        raise CatalogError(
            f"{source.where} has no usable interaction among {rows} rows: {reasons}; "
            "do its item ids match the catalogue's?"
        )
    return Interactions(table, rows, rejections, source.notes)


def _grouped(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[list[pa.RecordBatch]]:
    """Batches that have `size` rows or more together."""
    group: list[pa.RecordBatch] = []
    for batch in batches:
        group.append(batch)
        if _rows(group) >= size:
            yield group
            group = []
    if _rows(group):
        yield group


def _rows(batches: Sequence[pa.RecordBatch]) -> int:
    return sum(batch.num_rows for batch in batches)


def _check(
    batches: Sequence[pa.RecordBatch],
    names: dict[str, str],
    min_rating: float | None,
    known: pa.Array,
    first: int,
) -> tuple[list[pa.RecordBatch], list[Rejection]]:
    """The usable positives of batches whose first row is `first` of the table, and what is rejected."""
    users = [id_texts(batch[names["user"]]) for batch in batches]
    items = [id_texts(batch[names["item"]]) for batch in batches]
    positions = pc.index_in(pa.chunked_array(items, pa.string()), value_set=known)
    usable: list[pa.RecordBatch] = []
    rejections: list[Rejection] = []
    start = 0
    for batch, user, item in zip(batches, users, items, strict=True):
        nothing = pa.nulls(batch.num_rows)
        rating = numbers(batch[names["rating"]]) if "rating" in names else nothing
        time = seconds(batch[names["timestamp"]]) if "timestamp" in names else nothing
        columns = (c.cast(f.type) for c, f in zip((user, item, rating, time), SCHEMA, strict=True))
        checked = pa.record_batch(list(columns), schema=SCHEMA)
        position = positions.slice(start, batch.num_rows).combine_chunks()
        problems = {"no-user": user.is_null(), "no-item": item.is_null(), "unknown-item": position.is_null()}
        problems |= {f"bad-{c}": checked[c].is_null() for c in ("rating", "timestamp") if c in names}
        if any(pc.any(mask).as_py() for mask in problems.values()):
            # The first problem of a row is its reason.
            reason = pc.case_when(pc.make_struct(*problems.values()), *map(pa.scalar, problems))
            bad = reason.is_valid()
            rows = pc.add(pc.indices_nonzero(bad).cast(pa.int64()), first + start)
            rejections += _rejections(batch.filter(bad), checked.filter(bad), rows, reason.drop_null())
            checked = checked.filter(pc.invert(bad))
        if min_rating is not None and "rating" in names:
            checked = checked.filter(pc.greater_equal(checked["rating"], min_rating))
        usable.append(checked)
        start += batch.num_rows
    return usable, rejections


def _rejections(
    raw: pa.RecordBatch, checked: pa.RecordBatch, rows: pa.Array, reasons: pa.Array
) -> list[Rejection]:
    """A rejection for each row of `raw`, whose ids are those of `checked`."""
    columns = (rows, reasons, checked["item_id"], checked["user_id"])
    return [
        Rejection("interactions", row, STAGE, reason, str(values), item, user)
        for values, row, reason, item, user in zip(
            rows_of(raw, raw.schema.names), *(column.to_pylist() for column in columns), strict=True
        )
    ]
