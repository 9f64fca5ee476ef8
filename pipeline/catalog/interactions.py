"""Read who interacted with what, column by column; what cannot be used is listed."""

from __future__ import annotations

from collections import deque
from collections.abc import Container, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pyarrow as pa
import pyarrow.compute as pc

from alignrec.pipeline.catalog.id_hints import compare_ids
from alignrec.pipeline.catalog.items import STAGE
from alignrec.pipeline.catalog.rejections import SCHEMA as REJECTED
from alignrec.pipeline.catalog.rejections import Rejections, reasons_with_examples
from alignrec.pipeline.catalog.sources.source import open_interactions
from alignrec.pipeline.catalog.tables import Table
from alignrec.pipeline.catalog.times import (
    UNITS,
    TimeTally,
    describe_times,
    in_one_unit,
    only_of_unit,
    read_times,
)
from alignrec.pipeline.catalog.values import blanks, id_texts, numbers, rows_of
from alignrec.pipeline.config.catalog import CatalogConfig, InteractionsConfig
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
            none), `timestamp: int64` since 1970 (likewise), in seconds or in the unit that its field's
            metadata name; in the source's order and in as many chunks as it was read in; only positives
            (`min_rating` and more).
        rows: rows of the source.
        rejections: rows that cannot be used; a rating below `min_rating` is no rejection.
        notes: how the source was understood, where that is not plain; for a person.
        times: how its times were understood; empty where it has none.
    """

    table: pa.Table
    rows: int
    rejections: Rejections
    notes: tuple[str, ...] = ()
    times: str = ""


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
    check = _Check(names, config.min_rating, config.time_format, pa.array(item_ids, pa.string()))
    size = max(_ROWS_AT_ONCE, min(4 * len(item_ids), _MOST_ROWS))
    rows, part = _check_all(source, check, size)
    if not rows:
        raise CatalogError(f"{source.where} has no rows: expected interactions.")
    if check.times:
        part.times.check(source.where, check.times, check.written)
        if check.written is None and part.times.misfits:
            # Only the whole column shows which unit its numbers have; rows of another are not usable.
            rows, part = _check_all(source, replace(check, unit=part.times.unit), size)
    if not part.usable:
        raise CatalogError(
            f"{source.where} has no usable interaction among {rows:,} rows:"
            f"{reasons_with_examples(part.rejections)}{_id_hint(part.rejections, item_ids)}"
        )
    table, times = _joined(check, part)
    notes = (*source.notes, times) if times else source.notes
    return Interactions(table, rows, part.rejections, notes, times)


def named_items(catalog: CatalogConfig) -> Container[str] | None:
    """The ids of all items that interactions name, where the catalogue keeps no others; None where it does.

    Raises:
        CatalogError: as `read_interactions`, of the table and its column of items.
    """
    config = catalog.interactions
    if config is None or not catalog.items.interacted:
        return None
    source = open_interactions(config.path)
    source.require({"catalog.interactions.item": config.item})
    ids: set[str] = set()
    for batch in source.batches([config.item]):
        ids.update(_ids(batch, config.item).unique().drop_null().to_pylist())
    return ids


@dataclass(frozen=True)
class _Check:
    """What rows are held against.

    Attributes:
        names: the columns, by what they are.
        min_rating: of a positive.
        written: how times are written, if the config says so.
        known: the catalogue's ids.
        unit: the one that numbers since 1970 must have, once it is known.
    """

    names: dict[str, str]
    min_rating: float | None
    written: str | None
    known: pa.Array
    unit: str | None = None

    @property
    def times(self) -> str | None:
        """The column of times."""
        return self.names.get("timestamp")


@dataclass
class _Part:
    """What some rows came to: the usable positives (times as they were read), the rejections, the times."""

    usable: list[pa.RecordBatch] = field(default_factory=list)
    rejections: Rejections = field(default_factory=Rejections)
    times: TimeTally = field(default_factory=TimeTally)

    def join(self, other: _Part) -> None:
        """Append what the next rows came to."""
        self.usable += other.usable
        self.rejections.extend(other.rejections)
        self.times.join(other.times)


def _check_all(source: Table, check: _Check, size: int) -> tuple[int, _Part]:
    """The number of rows, and what they came to."""
    whole, rows, threads = _Part(), 0, pa.cpu_count()
    waiting: deque[Future[_Part]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for group in _grouped(source.batches(list(check.names.values())), size):
            waiting.append(pool.submit(_check_rows, group, check, rows))
            rows += _rows(group)
            while len(waiting) > threads:
                whole.join(waiting.popleft().result())
        for future in waiting:
            whole.join(future.result())
    return rows, whole


def _joined(check: _Check, part: _Part) -> tuple[pa.Table, str]:
    """The usable rows as one table, times in one unit; and how times were understood."""
    if check.times is None:
        return pa.Table.from_batches(part.usable, SCHEMA), ""
    unit = check.written if check.written in UNITS else part.times.unit
    column = SCHEMA.get_field_index("timestamp")
    times, kept = in_one_unit([batch.column(column) for batch in part.usable], unit)
    # Seconds are plain int64; any other unit is in the field.
    name = SCHEMA.field(column) if kept == "s" else SCHEMA.field(column).with_metadata({"unit": kept})
    schema = SCHEMA.set(column, name)
    batches = [
        pa.record_batch([*batch.columns[:column], time], schema=schema)
        for batch, time in zip(part.usable, times, strict=True)
    ]
    ends = pc.min_max(pa.chunked_array(times, pa.int64())).as_py()
    note = describe_times(check.times, part.times, unit, kept, ends["min"], ends["max"])
    return pa.Table.from_batches(batches, schema), note


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


def _ids(batch: pa.RecordBatch, column: str) -> pa.Array:
    return id_texts(batch[column], f"interactions: column {column!r}")


def _check_rows(batches: Sequence[pa.RecordBatch], check: _Check, first: int) -> _Part:
    """Check batches whose first row is `first` of the table."""
    part = _Part()
    users = [_ids(batch, check.names["user"]) for batch in batches]
    items = [_ids(batch, check.names["item"]) for batch in batches]
    positions = pc.index_in(pa.chunked_array(items, pa.string()), value_set=check.known)
    start = 0
    for batch, user, item in zip(batches, users, items, strict=True):
        position = positions.slice(start, batch.num_rows).combine_chunks()
        problems = {"no-user": user.is_null(), "no-item": item.is_null(), "unknown-item": position.is_null()}
        rating = _ratings(batch, check, problems)
        time = _times(batch, check, part.times, problems)
        checked = pa.record_batch([user, item, rating, time], names=SCHEMA.names)
        if any(pc.any(mask).as_py() for mask in problems.values()):
            # The first problem of a row is its reason.
            reason = pc.case_when(pc.make_struct(*problems.values()), *map(pa.scalar, problems))
            bad = reason.is_valid()
            rows = pc.add(pc.indices_nonzero(bad).cast(pa.int64()), first + start)
            unusable = _rejections(batch.filter(bad), checked.filter(bad), rows, reason.drop_null())
            part.rejections.extend(unusable)
            checked = checked.filter(pc.invert(bad))
        if check.min_rating is not None and "rating" in check.names:
            checked = checked.filter(pc.greater_equal(checked["rating"], check.min_rating))
        if checked.num_rows:
            part.usable.append(checked)
        start += batch.num_rows
    return part


def _ratings(batch: pa.RecordBatch, check: _Check, problems: dict[str, pa.Array]) -> pa.Array:
    """The ratings, and what is wrong with them: a blank one counts only where `min_rating` needs it."""
    if "rating" not in check.names:
        return pa.nulls(batch.num_rows, pa.float64())
    column = batch[check.names["rating"]]
    found = numbers(column)
    if found.null_count:
        blank = blanks(column)
        if check.min_rating is not None:
            problems["no-rating"] = pc.and_(found.is_null(), blank)
        problems["bad-rating"] = pc.and_not(found.is_null(), blank)
    return found


def _times(batch: pa.RecordBatch, check: _Check, tally: TimeTally, problems: dict[str, pa.Array]) -> pa.Array:
    """The times as they are read, counted in the tally, and what is wrong with them."""
    if check.times is None:
        return pa.nulls(batch.num_rows, pa.int64())
    column = batch[check.times]
    found = read_times(column, check.written)
    tally.add(found)
    if found.null_count:
        blank = blanks(column)
        problems["no-timestamp"] = pc.and_(found.is_null(), blank)
        wrong = pc.and_not(found.is_null(), blank)
        tally.add_wrong(column.filter(wrong))
    if check.unit is not None:
        found = only_of_unit(found, check.unit)
    if found.null_count:
        problems["bad-timestamp"] = pc.and_not(found.is_null(), blanks(column))
    return found


def _id_hint(rejections: Rejections, item_ids: Sequence[str]) -> str:
    """One id of each table, where those of the interactions are not the catalogue's."""
    place = pc.index(rejections.table["reason"], "unknown-item").as_py()
    if place < 0:
        return ""
    return (
        f"\n{compare_ids(str(rejections[place].item_id), item_ids)} Name columns of the same ids under "
        "catalog.interactions.item and catalog.items.id, or write them alike."
    )


def _rejections(
    raw: pa.RecordBatch, checked: pa.RecordBatch, rows: pa.Array, reasons: pa.Array
) -> Rejections:
    """A rejection for each row of `raw`, whose ids are those of `checked`."""
    count = raw.num_rows
    columns = {
        "source": pa.repeat("interactions", count),
        "row": rows,
        "item_id": checked["item_id"],
        "user_id": checked["user_id"],
        "modality": pa.nulls(count, pa.string()),
        "stage": pa.repeat(STAGE, count),
        "reason": reasons,
        "detail": pa.array([str(values) for values in rows_of(raw, raw.schema.names)], pa.string()),
    }
    return Rejections.from_table(pa.table(columns, schema=REJECTED))
