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
            none), `timestamp: int64` in Unix seconds (likewise), in the source's order; only
            positives (`min_rating` and more).
        rows: rows of the source.
        rejections: rows that cannot be used; a rating below `min_rating` is no rejection.
    """

    table: pa.Table
    rows: int
    rejections: list[Rejection]


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
    waiting: deque[Future[tuple[pa.RecordBatch, list[Rejection]]]] = deque()

    def collect(most: int) -> None:
        while len(waiting) > most:
            part, rejected = waiting.popleft().result()
            parts.append(part)
            rejections.extend(rejected)

    rows, threads = 0, pa.cpu_count()
    with ThreadPoolExecutor(threads) as pool:
        for batch in _grouped(source.batches(list(names.values())), size):
            waiting.append(pool.submit(_check, batch, names, config.min_rating, known, rows))
            rows += batch.num_rows
            collect(threads)
        collect(0)
    if not rows:
        raise CatalogError(f"{source.where} has no rows: expected interactions.")
    table = _joined(parts)
    if not table.num_rows:
        reasons = dict(Counter(rejection.reason for rejection in rejections).most_common())
        raise CatalogError(
            f"{source.where} has no usable interaction among {rows} rows: {reasons}; "
            "do its item ids match the catalogue's?"
        )
    return Interactions(table, rows, rejections)


def _grouped(batches: Iterator[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """Batches joined until they have `size` rows, as long as their types stay the same."""
    group: list[pa.RecordBatch] = []
    for batch in batches:
        if group and (batch.schema != group[0].schema or sum(b.num_rows for b in group) >= size):
            yield pa.concat_batches(group)
            group = []
        group.append(batch)
    if group:
        yield pa.concat_batches(group)


def _check(
    batch: pa.RecordBatch, names: dict[str, str], min_rating: float | None, known: pa.Array, first: int
) -> tuple[pa.RecordBatch, list[Rejection]]:
    """The usable positives of a batch whose first row is `first` of the table, and what is rejected."""
    user, item = id_texts(batch[names["user"]]), id_texts(batch[names["item"]])
    rating = numbers(batch[names["rating"]]) if "rating" in names else None
    time = seconds(batch[names["timestamp"]]) if "timestamp" in names else None
    problems = {
        "no-user": user.is_null(),
        "no-item": item.is_null(),
        "unknown-item": pc.is_null(pc.index_in(item, value_set=known)),
    }
    if rating is not None:
        problems["bad-rating"] = rating.is_null()
    if time is not None:
        problems["bad-timestamp"] = time.is_null()
    nothing = pa.nulls(batch.num_rows)
    columns = [user, item, nothing if rating is None else rating, nothing if time is None else time]
    checked = pa.record_batch([c.cast(f.type) for c, f in zip(columns, SCHEMA, strict=True)], schema=SCHEMA)
    rejections: list[Rejection] = []
    if any(pc.any(mask).as_py() for mask in problems.values()):
        # The first problem of a row is its reason.
        reason = pc.case_when(pc.make_struct(*problems.values()), *map(pa.scalar, problems))
        bad = reason.is_valid()
        rejections = _rejections(batch.filter(bad), checked.filter(bad), reason.drop_null(), bad, first)
        checked = checked.filter(pc.invert(bad))
    if min_rating is not None and rating is not None:
        checked = checked.filter(pc.greater_equal(checked["rating"], min_rating))
    return checked, rejections


def _rejections(
    raw: pa.RecordBatch, checked: pa.RecordBatch, reasons: pa.Array, bad: pa.Array, first: int
) -> list[Rejection]:
    """One rejection for each row of `raw`, whose ids are those of `checked`."""
    numbers_of_rows = pc.add(pc.indices_nonzero(bad).cast(pa.int64()), first)
    columns = (numbers_of_rows, reasons, checked["item_id"], checked["user_id"])
    return [
        Rejection("interactions", row, STAGE, reason, str(values), item, user)
        for values, row, reason, item, user in zip(
            rows_of(raw), *(column.to_pylist() for column in columns), strict=True
        )
    ]


def _joined(parts: list[pa.RecordBatch]) -> pa.Table:
    """One table of one chunk a column, whatever the batches were; `parts` is emptied."""
    table = pa.Table.from_batches(parts, SCHEMA)
    parts.clear()
    return table.combine_chunks()
